/* Batches of requests, some of which could not be encoded: each request has its own reply. The
 * requests are for a link that does not exist. */
#include "kernel/netlink.h"
#include "kernel/rtnl_encode.h"

#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum kind { SENT, SENT_TOGETHER, REFUSED, N_KINDS };

#define LENGTH    5
#define SEQUENCES (N_KINDS * N_KINDS * N_KINDS * N_KINDS * N_KINDS)

static void add(struct batch *batch, enum kind kind)
{
	union message message;
	assert_true(encode_link_change(
		&message, INT_MAX, &(struct link_change){.flags = IFF_UP, .flags_mask = IFF_UP}));
	if (kind == REFUSED)
		batch_add_refused(batch, EOVERFLOW, "too long");
	else
		batch_add(batch, &message.header, kind == SENT_TOGETHER);
}

static void reply_expect(const struct reply *reply, enum kind kind)
{
	if (kind == REFUSED) {
		assert_int_equal(reply->errnum, EOVERFLOW);
		assert_string_equal(reply->text, "too long");
		return;
	}
	assert_true(reply->errnum == ENODEV || reply->errnum == EPERM);
}

static void each_order(void **state)
{
	struct error error;
	struct netlink *netlink = netlink_open(&error);
	(void)state;
	assert_non_null(netlink);
	for (int sequence = 0; sequence < SEQUENCES; sequence++) {
		struct batch *batch = batch_new();
		for (int i = 0, rest = sequence; i < LENGTH; i++, rest /= N_KINDS)
			add(batch, (enum kind)(rest % N_KINDS));
		assert_int_equal(batch_send(netlink, batch, &error), 0);
		assert_int_equal(batch_count(batch), LENGTH);
		for (int i = 0, rest = sequence; i < LENGTH; i++, rest /= N_KINDS)
			reply_expect(batch_reply(batch, (size_t)i), (enum kind)(rest % N_KINDS));
		batch_free(batch);
	}
	netlink_close(netlink);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(each_order)};
	return cmocka_run_group_tests_name("netlink batches", tests, NULL, NULL);
}
