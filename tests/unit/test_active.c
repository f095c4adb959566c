/* The list of the namespaces that a pass of the service visits. */
#include "cmd/watch/active.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define COUNT (ACTIVE_MAX + 4)

struct sample {
	struct live_ns all[COUNT];
	struct live_ns *namespaces[COUNT];
	struct container_lookup lookup;
	struct live live;
	struct active active;
};

static void sample_init(struct sample *sample)
{
	memset(sample, 0, sizeof(*sample));
	for (size_t i = 0; i < COUNT; i++)
		sample->namespaces[i] = &sample->all[i];
	sample->all[0].host = true;
	sample->live = (struct live){.namespaces = sample->namespaces,
				     .n_namespaces = COUNT,
				     .container_lookups = &sample->lookup,
				     .n_containers = 1};
}

static void all_at_first(void **state)
{
	struct sample sample;
	(void)state;
	sample_init(&sample);
	assert_int_equal(active_count(&sample.active, &sample.live), COUNT);
	assert_ptr_equal(active_at(&sample.active, &sample.live, 3), &sample.all[3]);
	assert_int_equal(active_count(&sample.active, NULL), 0);
}

static void each_reason_keeps_it(void **state)
{
	struct sample sample;
	(void)state;
	sample_init(&sample);
	sample.all[1].stale = sample.all[2].reread = sample.all[3].rate_limited =
		sample.all[4].tagged = true;
	active_finish(&sample.active, &sample.live);
	assert_int_equal(active_count(&sample.active, &sample.live), 4);
	sample.all[1].stale = sample.all[3].rate_limited = false;
	active_finish(&sample.active, &sample.live);
	assert_int_equal(active_count(&sample.active, &sample.live), 2);
	assert_ptr_equal(active_at(&sample.active, &sample.live, 0), &sample.all[2]);
}

static void once_each(void **state)
{
	struct sample sample;
	(void)state;
	sample_init(&sample);
	active_finish(&sample.active, &sample.live);
	active_add(&sample.active, &sample.all[5]);
	active_add(&sample.active, &sample.all[5]);
	assert_int_equal(active_count(&sample.active, &sample.live), 1);
}

static void too_many(void **state)
{
	struct sample sample;
	(void)state;
	sample_init(&sample);
	active_finish(&sample.active, &sample.live);
	for (size_t i = 0; i <= ACTIVE_MAX; i++)
		active_add(&sample.active, &sample.all[i]);
	assert_int_equal(active_count(&sample.active, &sample.live), COUNT);
	for (size_t i = 0; i <= ACTIVE_MAX; i++)
		sample.all[i].stale = true;
	active_finish(&sample.active, &sample.live);
	assert_false(sample.active.some);
}

static void a_stale_container_keeps_all(void **state)
{
	struct sample sample;
	(void)state;
	sample_init(&sample);
	sample.lookup.stale = true;
	active_finish(&sample.active, &sample.live);
	assert_false(sample.active.some);
	sample.lookup.stale = false;
	active_finish(&sample.active, &sample.live);
	assert_true(sample.active.some);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(all_at_first),
					   cmocka_unit_test(each_reason_keeps_it),
					   cmocka_unit_test(once_each), cmocka_unit_test(too_many),
					   cmocka_unit_test(a_stale_container_keeps_all)};
	return cmocka_run_group_tests_name("active", tests, NULL, NULL);
}
