/* Data decides whether the service logs a notice again, never a sentence. */
#include "cmd/watch/notices.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct step blocked(const char *container, const char *reason)
{
	static struct owner_tag tag = {ROLE_ATTACH, .set = "a", .network = "lan"};
	tag.container = container;
	return (struct step){.action = ACTION_BLOCKED,
			     .tag = &tag,
			     .name = "eth0",
			     .code = CODE_ADDRESS_IN_USE,
			     .reason = reason};
}

static void test_step(void **state)
{
	(void)state;
	struct prefix addr = {.ip = {.family = 2}, .len = 24};
	struct link_spec desired = {.addrs = &addr, .n_addrs = 1};
	struct notices *before = notices_new(), *now = notices_new();
	struct step step = blocked("web", "10.0.0.2 belongs to 02:00:00:00:00:01");
	step.desired = &desired;
	assert_true(notice_step(before, NULL, &step));
	assert_false(notice_step(before, NULL, &step));

	step.reason = "10.0.0.2 belongs to 02:00:00:00:00:02";
	step.hint = "choose another";
	assert_false(notice_step(now, before, &step));
	assert_false(notice_step(now, before, &step));

	addr.ip.bytes[3] = 3;
	assert_true(notice_step(now, before, &step));
	step.code = CODE_NONE;
	assert_true(notice_step(now, before, &step));
	step.action = ACTION_PENDING;
	assert_true(notice_step(now, before, &step));
	addr.ip.bytes[3] = 4;
	assert_false(notice_step(now, before, &step));
	step.stopped = "8c3d71";
	assert_true(notice_step(now, before, &step));
	step.stopped = "8c3d72";
	assert_true(notice_step(now, before, &step));
	step = blocked("db", step.reason);
	assert_true(notice_step(now, before, &step));
	struct live_ns ns = {.inode = 7}, other = {.inode = 8};
	step.ns = &ns;
	assert_true(notice_step(now, before, &step));
	step.ns = &other;
	assert_true(notice_step(now, before, &step));
	step.action = ACTION_PENDING;
	assert_true(notice_step(now, before, &step));
	step.ns = NULL;
	assert_false(notice_step(now, before, &step));
	notices_free(before);
	notices_free(now);
}

static void test_unreadable(void **state)
{
	(void)state;
	struct notices *before = notices_new(), *now = notices_new();
	struct unreadable one = {UNREADABLE_PROCESSES, .errnum = EACCES, .text = "of 3 processes"};
	assert_true(notice_unreadable(before, NULL, &one));
	one.text = "of 4 processes";
	assert_false(notice_unreadable(now, before, &one));
	one.kind = UNREADABLE_NAMESPACE;
	assert_true(notice_unreadable(now, before, &one));
	one.inode = 7;
	assert_true(notice_unreadable(now, before, &one));
	one.errnum = EIO;
	assert_true(notice_unreadable(now, before, &one));
	assert_false(notice_unreadable(now, before, &one));
	notices_free(before);
	notices_free(now);
}

static void test_warning(void **state)
{
	(void)state;
	struct notices *before = notices_new(), *now = notices_new();
	const struct warning shifted[] = {{WARNING_ROUTE_KEPT, {"a", "bc"}},
					  {WARNING_ROUTE_KEPT, {"ab", "c"}},
					  {WARNING_ROUTE_KEPT, {"a", "bc", ""}},
					  {WARNING_ROUTE_KEPT_VIA, {"a", "bc"}}};
	for (size_t i = 0; i < sizeof(shifted) / sizeof(*shifted); i++) {
		assert_true(notice_warning(before, NULL, &shifted[i]));
		assert_false(notice_warning(now, before, &shifted[i]));
	}
	/* The engine's error text is not part of the identity. */
	assert_true(notice_warning(before, NULL,
				   &(struct warning){WARNING_LOOKUP, {"web", "not known: EOF"}}));
	assert_false(notice_warning(now, before,
				    &(struct warning){WARNING_LOOKUP, {"web", "not known: EIO"}}));
	/* Nor is the range that is suggested. */
	assert_true(notice_warning(
		before, NULL, &(struct warning){WARNING_NO_RANGE, {"lan", "a", "ip_range: x"}}));
	assert_false(notice_warning(
		now, before, &(struct warning){WARNING_NO_RANGE, {"lan", "a", "ip_range: y"}}));
	assert_true(notice_warning(
		now, before, &(struct warning){WARNING_NO_RANGE, {"lan", "b", "ip_range: y"}}));
	notices_free(before);
	notices_free(now);
}

static void test_guard(void **state)
{
	(void)state;
	struct notices *before = notices_new(), *now = notices_new();
	struct guard guard = {.refused = true, .set = "a", .live = 12, .deletes = 8};
	assert_true(notice_guard(before, NULL, &guard));
	assert_false(notice_guard(now, before, &guard));
	guard.deletes = 9;
	assert_true(notice_guard(now, before, &guard));
	guard.set = "b";
	assert_true(notice_guard(now, before, &guard));
	notices_free(before);
	notices_free(now);
	notices_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_step),
		cmocka_unit_test(test_unreadable),
		cmocka_unit_test(test_warning),
		cmocka_unit_test(test_guard),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
