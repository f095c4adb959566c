#include "reconcile/apply/advertised.h"

#include "kernel/netns.h"
#include "kernel/rtnl_decode.h"
#include "lib/clock.h"
#include "reconcile/apply/internal.h"

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <time.h>

#define INTERVAL_MS 50

/* The address as far as it is found. */
struct reading {
	int ifindex;
	struct outcome *outcome;
	bool tentative; /* one of them is */
};

static bool is_expected(const struct step *step, const struct outcome *outcome)
{
	return (step->action == ACTION_CREATE || step->action == ACTION_REPLACE) &&
	       outcome->state == OUTCOME_DONE && step->desired->accept_ra && step->desired->ns &&
	       step->desired->ns->handle && step->desired->ns->handle->netlink;
}

bool advertised_expected(const struct plan *plan, const struct outcome *outcomes)
{
	for (size_t i = 0; i < plan->n_steps; i++)
		if (is_expected(&plan->steps[i], &outcomes[i]))
			return true;
	return false;
}

static int addr_take(const struct nlmsghdr *message, void *data, struct error *error)
{
	struct reading *reading = data;
	struct outcome *outcome = reading->outcome;
	struct live_addr addr;
	bool ignored;
	(void)error;
	if (message->nlmsg_type != RTM_NEWADDR ||
	    decode_addr(message, &addr, &ignored) != DECODED || addr.ifindex != reading->ifindex ||
	    !live_addr_autoconf(&addr) || outcome->n_advertised == ADVERTISED_MAX)
		return 0;
	reading->tentative |= (addr.flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED)) != 0;
	outcome->advertised[outcome->n_advertised++] = addr.prefix;
	return 0;
}

/* Whether the link has an address that can be used. */
static bool addresses_read(const struct link_spec *spec, struct outcome *outcome)
{
	union message request;
	struct error ignored;
	struct netlink *netlink = spec->ns->handle->netlink;
	struct reading reading = {.outcome = outcome};
	outcome->n_advertised = 0;
	if (link_index_find(netlink, spec->name, &reading.ifindex, &ignored) < 0 ||
	    !encode_link_addrs_dump(&request, reading.ifindex) ||
	    netlink_dump(netlink, &request.header, addr_take, &reading, &ignored) < 0)
		return false;
	return outcome->n_advertised && !reading.tentative;
}

static bool all_read(const struct plan *plan, struct outcome *outcomes)
{
	bool all = true;
	for (size_t i = 0; i < plan->n_steps; i++)
		if (is_expected(&plan->steps[i], &outcomes[i]))
			all &= addresses_read(plan->steps[i].desired, &outcomes[i]);
	return all;
}

void advertised_await(const struct plan *plan, struct outcome *outcomes)
{
	const int64_t end = clock_milliseconds() + ADVERTISED_MS;
	while (!all_read(plan, outcomes) && clock_milliseconds() < end)
		nanosleep(&(struct timespec){.tv_nsec = INTERVAL_MS * 1000000L}, NULL);
	for (size_t i = 0; i < plan->n_steps; i++)
		if (is_expected(&plan->steps[i], &outcomes[i]) && !outcomes[i].n_advertised)
			outcome_note(&outcomes[i],
				     "no router has advertised an address within %d s: the kernel "
				     "takes one as soon as a router does",
				     ADVERTISED_MS / 1000);
}
