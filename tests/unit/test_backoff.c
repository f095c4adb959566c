/* Failed keys are delayed for a growing time. Times are milliseconds of any clock. */
#include "cmd/watch/backoff.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/between.h"

#define NOW INT64_C(1000000)

static void test_delays(void **state)
{
	static const int64_t expected[] = {100,  200,   400,   800,   1600,  3200,
					   6400, 12800, 25600, 51200, 60000, 60000};
	(void)state;
	for (unsigned i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
		assert_int_equal(retry_delay(i + 1), expected[i]);
	assert_int_equal(retry_delay(UINT32_MAX), 60000);
}

/* Up to a quarter more than the delay, and different for each. */
static void test_jitter(void **state)
{
	bool differs = false;
	int64_t first = 0;
	(void)state;
	for (int i = 0; i < 64; i++) {
		struct retry *retry = retry_new();
		retry_failed(retry, "a", NOW);
		retry_failed(retry, "a", NOW);
		const int64_t next = retry_next(retry, NOW) - NOW;
		assert_between(next, 200, 250);
		first = first ? first : next;
		differs |= next != first;
		retry_free(retry);
	}
	assert_true(differs);
}

static void test_delayed(void **state)
{
	(void)state;
	struct retry *retry = retry_new();
	assert_false(retry_deferred(retry, "a", NOW));
	assert_int_equal(retry_next(retry, NOW), -1);
	retry_failed(retry, "a", NOW);
	retry_failed(retry, "b", NOW + 500);
	const int64_t end = retry_next(retry, NOW);
	assert_true(retry_deferred(retry, "a", end - 1));
	assert_false(retry_deferred(retry, "a", end));
	assert_true(retry_deferred(retry, "b", end));
	assert_between(retry_next(retry, end), NOW + 600, NOW + 625);
	assert_int_equal(retry_next(retry, NOW + 700), -1);
	assert_int_equal(retry_count(retry), 2);
	retry_free(retry);
}

static bool is_b(const void *data, const char *key)
{
	return strcmp(key, data) == 0;
}

/* It begins again with the shortest delay. */
static void test_forgotten(void **state)
{
	(void)state;
	struct retry *retry = retry_new();
	for (int i = 0; i < 20; i++) {
		char key[] = {(char)('a' + i), '\0'};
		for (int failures = 0; failures < 5; failures++)
			retry_failed(retry, key, NOW);
	}
	retry_forget(retry, "a");
	assert_false(retry_deferred(retry, "a", NOW));
	assert_int_equal(retry_count(retry), 19);
	retry_keep(retry, is_b, "b", NOW);
	assert_int_equal(retry_count(retry), 1);
	assert_true(retry_deferred(retry, "b", NOW + 1599));
	retry_clear(retry);
	assert_int_equal(retry_count(retry), 0);
	retry_failed(retry, "b", NOW);
	assert_between(retry_next(retry, NOW), NOW + 100, NOW + 125);
	retry_free(retry);
}

/* A temporary failure is retried soon, but not without end. */
static void test_busy(void **state)
{
	static const int64_t pauses[] = {10, 20, 40, 80, 160, 320, 640, 1280};
	(void)state;
	struct retry *retry = retry_new();
	for (size_t i = 0; i < sizeof(pauses) / sizeof(pauses[0]); i++) {
		assert_true(retry_busy(retry, "a", NOW));
		assert_between(retry_next(retry, NOW) - NOW, pauses[i], pauses[i] * 5 / 4);
	}
	assert_false(retry_busy(retry, "a", NOW));
	retry_failed(retry, "a", NOW);
	assert_between(retry_next(retry, NOW) - NOW, 100, 125);
	assert_false(retry_busy(retry, "a", NOW));
	retry_forget(retry, "a");
	assert_int_equal(retry_count(retry), 0);
	assert_true(retry_busy(retry, "a", NOW));
	retry_free(retry);
}

/* The number of repairs in that time if each is undone after `undone` milliseconds. */
static unsigned repairs_within(int64_t time, int64_t undone)
{
	struct retry *retry = retry_new();
	unsigned repairs = 0;
	for (int64_t now = NOW; now < NOW + time; now += undone) {
		if (retry_deferred(retry, "a", now))
			now = retry_next(retry, now);
		retry_repaired(retry, "a", now);
		assert_int_equal(retry_count(retry), 0);
		repairs++;
	}
	retry_free(retry);
	return repairs;
}

/* Each repair works, and each is undone. */
static void test_undone(void **state)
{
	const int64_t hour = 3600000;
	(void)state;
	assert_between(repairs_within(1, 1), 1, 1);
	/* 16 are free, ten pauses double until they are a minute, which is the longest. */
	assert_between(repairs_within(hour, 1), 16 + 10 + 45, 16 + 10 + 60);
	assert_between(repairs_within(hour, 1000), 16 + 10 + 45, 16 + 10 + 60);
	/* It was undisturbed for long enough. */
	assert_between(repairs_within(hour, RETRY_QUIET_MS), 719, 721);
}

/* Another program's changes are forgotten as slowly as they were counted. */
static void test_repairs_forgotten(void **state)
{
	(void)state;
	struct retry *retry = retry_new();
	for (int i = 0; i < RETRY_REPAIRS; i++)
		assert_int_equal(retry_repaired(retry, "a", NOW), 0);
	assert_false(retry_deferred(retry, "a", NOW));
	assert_int_equal(retry_repaired(retry, "a", NOW), 100);
	assert_true(retry_deferred(retry, "a", NOW + 99));
	/* Success, and failures meanwhile, do not change it. */
	retry_forget(retry, "a");
	retry_failed(retry, "a", NOW + 200);
	retry_forget(retry, "a");
	assert_int_equal(retry_repaired(retry, "a", NOW + 400), 200);
	assert_int_equal(retry_contested(retry, "a", NOW + 800), 400);
	/* Without pending work there is no timer, and nothing is forgotten. */
	retry_keep(retry, is_b, "b", NOW + 900);
	assert_int_equal(retry_next(retry, NOW + 900), -1);
	assert_int_equal(retry_count(retry), 0);
	int64_t now = NOW + 1400 + 4 * RETRY_QUIET_MS;
	assert_int_equal(retry_repaired(retry, "a", now), 0);
	assert_int_equal(retry_repaired(retry, "a", now), 100);
	now += RETRY_QUIET_MS * 20;
	retry_keep(retry, is_b, "b", now);
	for (int i = 0; i < RETRY_REPAIRS; i++)
		assert_int_equal(retry_repaired(retry, "a", now), 0);
	/* If it is known to be undone, no repair is free. */
	assert_int_equal(retry_contested(retry, "c", NOW), 100);
	assert_int_equal(retry_count(retry), 1);
	assert_int_equal(retry_contested(retry, "c", NOW + 200), 200);
	retry_free(retry);
}

/* Work that others trigger without end is deferred more and more, and as usual after that ends. */
static void test_spent(void **state)
{
	(void)state;
	struct retry *retry = retry_new();
	for (int i = 0; i < RETRY_CREDIT_MS / 1000; i++) {
		assert_int_equal(retry_left(retry, "a", NOW), 0);
		retry_spend(retry, "a", 1000, NOW);
	}
	static const int64_t pauses[] = {1000, 2000, 4000, 4000, 4000};
	int64_t now = NOW;
	for (size_t i = 0; i < sizeof(pauses) / sizeof(pauses[0]); i++) {
		assert_int_equal(retry_left(retry, "a", now), 0);
		retry_spend(retry, "a", 1000, now);
		assert_int_equal(retry_left(retry, "a", now), pauses[i]);
		now += pauses[i];
	}
	assert_int_equal(retry_next(retry, NOW), -1);
	retry_keep(retry, is_b, "b", now);
	retry_spend(retry, "a", 1000, now);
	assert_int_equal(retry_left(retry, "a", now), 4000);
	now += 4000 + RETRY_CREDIT_MS;
	for (int i = 0; i < RETRY_CREDIT_MS / 1000; i++)
		retry_spend(retry, "a", 1000, now);
	assert_int_equal(retry_left(retry, "a", now), 0);
	for (int i = 0; i < 3; i++)
		retry_spend(retry, "b", INT32_MAX, now);
	assert_int_equal(retry_left(retry, "b", now), 60000);
	assert_int_equal(retry_left(retry, "c", now), 0);
	retry_free(retry);
}

/* At most once a second, an observation costs only its own price. */
static void test_spent_seldom(void **state)
{
	(void)state;
	struct retry *retry = retry_new();
	for (int64_t now = NOW; now < NOW + 1000 * 1000; now += 1000) {
		assert_int_equal(retry_left(retry, "a", now), 0);
		retry_spend(retry, "a", 1000, now);
	}
	retry_free(retry);
}

/* A reason is new once, until a success or another one. */
static void test_reasons(void **state)
{
	(void)state;
	struct retry *retry = retry_new();
	retry_failed(retry, "a", NOW);
	assert_true(retry_reason_new(retry, "a", 1));
	retry_failed(retry, "a", NOW + 1000);
	assert_false(retry_reason_new(retry, "a", 1));
	assert_true(retry_reason_new(retry, "a", 2));
	assert_true(retry_reason_new(retry, "a", 1));
	retry_forget(retry, "a");
	retry_failed(retry, "a", NOW + 2000);
	assert_true(retry_reason_new(retry, "a", 1));
	retry_free(retry);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_delays),
		cmocka_unit_test(test_jitter),
		cmocka_unit_test(test_delayed),
		cmocka_unit_test(test_forgotten),
		cmocka_unit_test(test_busy),
		cmocka_unit_test(test_undone),
		cmocka_unit_test(test_spent),
		cmocka_unit_test(test_spent_seldom),
		cmocka_unit_test(test_repairs_forgotten),
		cmocka_unit_test(test_reasons),
	};
	return cmocka_run_group_tests_name("retry", tests, NULL, NULL);
}
