/* Changing links in place. */
#include "reconcile/apply/internal.h"

#include "kernel/netns.h"
#include "kernel/sysctl.h"
#include "reconcile/rollback/snapshot.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

struct changing {
	struct apply_context *context;
	const struct step *step;
	struct outcome *outcome;
	struct netlink *netlink; /* inside */
	int ifindex;
	const char *name; /* that it has now */
	bool flushed;     /* the kernel took addresses or routes away that shall be there */
	const struct snapshot **others; /* context->others, of this step */
};

static bool is_removal(const struct change *change)
{
	return !change->to && (change->field == FIELD_ADDRESS || change->field == FIELD_ROUTE);
}

/* Whether the link gets the address again, with another prefix length: nobody waits for it. */
static bool comes_back(const struct step *step, const struct change *removal)
{
	for (size_t i = 0; removal->field == FIELD_ADDRESS && i < step->desired->n_addrs; i++)
		if (ip_equal(&step->desired->addrs[i].ip, &removal->addr.ip))
			return true;
	return false;
}

/* What is taken away before anything else is done. */
static bool is_early_removal(const struct step *step, const struct change *change)
{
	return is_removal(change) && !comes_back(step, change);
}

static struct operation_context changing_operation(const struct changing *changing,
						   enum operation operation)
{
	struct operation_context operation_at =
		operation_of(operation, changing->step->ns, changing->step->desired);
	operation_at.link = changing->name;
	return operation_at;
}

static bool changing_begin(struct apply_context *context, const struct step *step, size_t number,
			   struct changing *ret)
{
	struct error error;
	*ret = (struct changing){.context = context,
				 .step = step,
				 .outcome = &context->outcomes[number],
				 .others = &context->others[number],
				 .ifindex = step->current->ifindex,
				 .name = step->current->name};
	ret->netlink = ns_socket(context, step->ns, &error);
	if (ret->netlink)
		return true;
	error_prepend(&error, "cannot change %s in namespace %s", step->current->name,
		      step->ns->name);
	outcome_fail(ret->outcome, &error);
	return false;
}

static void removal_queue(const struct changing *changing, const struct change *change,
			  struct batch *batch)
{
	union message message;
	bool encoded = change->field == FIELD_ADDRESS
			       ? encode_addr_delete(&message, changing->ifindex, &change->addr)
			       : encode_route_delete(&message, changing->ifindex, &change->route,
						     change->route.protocol, change->route.metric);
	queue(batch, encoded, &message, false);
}

static bool gone_already(int errnum)
{
	return errnum == ESRCH || errnum == EADDRNOTAVAIL || errnum == ENODEV;
}

static void removals_check(struct changing *changing, const struct batch *batch)
{
	size_t number = 0;
	for (size_t i = 0; i < changing->step->n_changes; i++) {
		const struct change *change = &changing->step->changes[i];
		if (!is_early_removal(changing->step, change))
			continue;
		const struct reply *reply = batch_reply(batch, number++);
		if (!reply->errnum || gone_already(reply->errnum))
			continue;
		const bool addr = change->field == FIELD_ADDRESS;
		struct operation_context operation_at =
			changing_operation(changing, addr ? OP_REMOVE_ADDRESS : OP_REMOVE_ROUTE);
		snprintf(operation_at.detail, sizeof(operation_at.detail), "%s", change->from);
		outcome_refused(changing->outcome, &operation_at, reply);
	}
}

/* Sends one request; false: the kernel refused, and *ret is what it said. */
static bool request_send(struct changing *changing, enum operation operation, bool encoded,
			 const union message *message, struct reply *ret)
{
	struct error error;
	struct batch *batch __attribute__((cleanup(batch_cleanup))) = batch_new();
	queue(batch, encoded, message, false);
	if (batch_send(changing->netlink, batch, &error) < 0) {
		const struct operation_context operation_at =
			changing_operation(changing, operation);
		outcome_broke(changing->outcome, &operation_at, &error);
	}
	*ret = *batch_reply(batch, 0);
	return ret->errnum == 0;
}

static bool request_do(struct changing *changing, enum operation operation, const char *detail,
		       bool encoded, const union message *message)
{
	struct reply reply;
	if (request_send(changing, operation, encoded, message, &reply))
		return true;
	struct operation_context operation_at = changing_operation(changing, operation);
	snprintf(operation_at.detail, sizeof(operation_at.detail), "%s", detail ? detail : "");
	outcome_refused(changing->outcome, &operation_at, &reply);
	return false;
}

static bool up_set(struct changing *changing, bool up)
{
	union message message;
	return request_do(changing, OP_UP, NULL, encode_link_up(&message, changing->ifindex, up),
			  &message);
}

static void alias_change(struct changing *changing, const struct change *change)
{
	union message message;
	request_do(changing, OP_ALIAS, change->to,
		   encode_link_alias(&message, changing->ifindex, changing->step->desired->alias),
		   &message);
}

/* Kernels before 6.2 rename no link that is up. Down, its routes and IPv6 addresses go. */
static bool rename_down(struct changing *changing, const char *name, const union message *rename)
{
	if (!up_set(changing, false))
		return false;
	changing->flushed = true;
	bool renamed = request_do(changing, OP_NAME, name, true, rename);
	up_set(changing, true);
	return renamed;
}

static bool rename_to(struct changing *changing, const char *name)
{
	union message message;
	struct reply reply;
	bool encoded = encode_link_name(&message, changing->ifindex, name);
	if (request_send(changing, OP_NAME, encoded, &message, &reply))
		return true;
	if (reply.errnum == EBUSY)
		return rename_down(changing, name, &message);
	struct operation_context operation_at = changing_operation(changing, OP_NAME);
	snprintf(operation_at.detail, sizeof(operation_at.detail), "%s", name);
	outcome_refused(changing->outcome, &operation_at, &reply);
	return false;
}

static void name_change(struct changing *changing, const struct change *change)
{
	(void)change;
	if (rename_to(changing, changing->step->desired->name))
		changing->name = changing->step->desired->name;
}

static void mac_change(struct changing *changing, const struct change *change)
{
	union message message;
	request_do(changing, OP_MAC, change->to,
		   encode_link_mac(&message, changing->ifindex, &changing->step->desired->mac),
		   &message);
}

static void sysctls_put(struct changing *changing, const struct link_sysctl *sysctls, size_t count)
{
	struct error error;
	if (count == 0)
		return;
	if (netns_enter(changing->step->ns->handle->fd, &error) < 0) {
		const struct operation_context operation_at =
			changing_operation(changing, OP_SYSCTL);
		outcome_broke(changing->outcome, &operation_at, &error);
		return;
	}
	for (size_t i = 0; i < count; i++) {
		if (sysctl_put(&sysctls[i], changing->name, &error) == 0)
			continue;
		struct operation_context operation_at = changing_operation(changing, OP_SYSCTL);
		snprintf(operation_at.detail, sizeof(operation_at.detail), "%s", sysctls[i].key);
		outcome_broke(changing->outcome, &operation_at, &error);
	}
	netns_return(changing->context->host->handle->fd);
}

/* The smallest MTU of IPv6: below it the kernel drops the link's IPv6 altogether, with its
 * addresses, routes and sysctls. */
#define IPV6_MTU_MIN 1280

static void mtu_change(struct changing *changing, const struct change *change)
{
	union message message;
	const struct link_spec *desired = changing->step->desired;
	request_do(changing, OP_MTU, change->to,
		   encode_link_mtu(&message, changing->ifindex, desired->mtu), &message);
	if (changing->step->current->mtu >= IPV6_MTU_MIN || desired->mtu < IPV6_MTU_MIN)
		return;
	changing->flushed = true;
	sysctls_put(changing, desired->sysctls, desired->n_sysctls);
}

static void mode_change(struct changing *changing, const struct change *change)
{
	union message message;
	request_do(changing, OP_MODE, change->to,
		   encode_link_attribute(&message, changing->ifindex, changing->step->desired,
					 VALUE_MODE),
		   &message);
}

static void bcqueuelen_change(struct changing *changing, const struct change *change)
{
	union message message;
	request_do(changing, OP_BCQUEUELEN, change->to,
		   encode_link_attribute(&message, changing->ifindex, changing->step->desired,
					 VALUE_BCQUEUELEN),
		   &message);
}

static void sysctl_change(struct changing *changing, const struct change *change)
{
	sysctls_put(changing, &change->sysctl, 1);
}

static void up_change(struct changing *changing, const struct change *change)
{
	(void)change;
	up_set(changing, !changing->step->desired->down);
}

static uint16_t put_flags(const struct change *change)
{
	return change->from ? NLM_F_REPLACE : NLM_F_EXCL;
}

/* Whether an address that is not ours would go along with the first one of its subnet. */
static bool others_follow(const struct changing *changing)
{
	const struct live_ns *ns = changing->step->ns;
	each_addr_of (addr, ns, changing->ifindex)
		if (addr->prefix.ip.family == AF_INET && addr->flags & IFA_F_SECONDARY &&
		    addr->proto != MARK_PROTOCOL)
			return true;
	return false;
}

/* `name`: that the link has now. */
static int removals_send(const struct changing *changing, const char *name, struct batch *batch,
			 struct error *error)
{
	return others_follow(changing)
		       ? batch_send_promote_secondaries(changing->context, changing->netlink,
							changing->step->ns, name, batch, error)
		       : batch_send(changing->netlink, batch, error);
}

/* The kernel has no message that changes a prefix length (inet_rtm_newaddr and inet6_rtm_newaddr
 * find an address by both), and ipvlan and IPv6 do not take both at once. In one datagram, so that
 * nothing comes between the two. */
static void lengths_queue(const struct changing *changing, const struct change *change,
			  struct batch *batch)
{
	for (size_t i = 0; i < changing->step->n_changes; i++) {
		union message message;
		const struct change *other = &changing->step->changes[i];
		if (is_removal(other) && other->field == FIELD_ADDRESS &&
		    ip_equal(&other->addr.ip, &change->addr.ip))
			queue(batch, encode_addr_delete(&message, changing->ifindex, &other->addr),
			      &message, batch_count(batch) > 0);
	}
}

static void address_put(struct changing *changing, const struct change *change)
{
	union message message;
	struct error error;
	struct batch *batch __attribute__((cleanup(batch_cleanup))) = batch_new();
	struct operation_context operation_at = changing_operation(changing, OP_ADDRESS);
	snprintf(operation_at.detail, sizeof(operation_at.detail), "%s", change->to);
	lengths_queue(changing, change, batch);
	queue(batch,
	      encode_addr_add(&message, changing->ifindex, &change->addr,
			      link_spec_addr_terms(changing->step->desired, &change->addr),
			      put_flags(change)),
	      &message, batch_count(batch) > 0);
	if ((batch_count(batch) > 1 ? removals_send(changing, changing->name, batch, &error)
				    : batch_send(changing->netlink, batch, &error)) < 0)
		outcome_broke(changing->outcome, &operation_at, &error);
	const struct reply *reply = batch_reply(batch, batch_count(batch) - 1);
	if (reply->errnum)
		outcome_refused(changing->outcome, &operation_at, reply);
}

static void address_change(struct changing *changing, const struct change *change)
{
	if (change->to)
		address_put(changing, change);
	else
		/* It may have been the primary one of its subnet, and taken others along. */
		changing->flushed |= change->addr.ip.family == AF_INET;
}

static void route_change(struct changing *changing, const struct change *change)
{
	union message message;
	if (is_removal(change))
		return;
	request_do(changing, OP_ROUTE, change->to,
		   encode_route_add(&message, changing->ifindex, &change->route, put_flags(change)),
		   &message);
}

/* Gives up the name and MAC that others wait for. */
static void temporary_do(struct changing *changing)
{
	union message message;
	char name[IFNAMSIZ];
	const struct mac mac = step_temporary_mac(changing->step);
	if (changing->step->detour.name)
		rename_to(changing, step_temporary_name(changing->step, name));
	if (changing->step->detour.mac)
		request_do(changing, OP_MAC, "for the time being",
			   encode_link_mac(&message, changing->ifindex, &mac), &message);
}

/* Whether the kernel may take others' routes along: with the last address, or one that they name,
 * or with the link being down for a while. */
static bool may_flush(const struct step *step)
{
	bool may = step->detour.name;
	for (size_t i = 0; i < step->n_changes; i++) {
		const struct change *change = &step->changes[i];
		may |= change->field == FIELD_NAME ||
		       (is_removal(change) && change->field == FIELD_ADDRESS);
	}
	return may;
}

static bool others_note(struct changing *changing)
{
	struct error error;
	if (!may_flush(changing->step))
		return true;
	*changing->others = snapshot_routes_take(changing->netlink, changing->context->arena,
					       changing->ifindex, &error);
	if (*changing->others)
		return true;
	error_prepend(&error, "cannot see the routes of %s in namespace %s", changing->name,
		      changing->step->ns->name);
	outcome_fail(changing->outcome, &error);
	return false;
}

void removals_do(struct apply_context *context, size_t number)
{
	struct changing changing;
	struct error error;
	char detour[IFNAMSIZ];
	struct batch *batch __attribute__((cleanup(batch_cleanup))) = batch_new();
	if (!changing_begin(context, &context->plan->steps[number], number, &changing) ||
	    !others_note(&changing))
		return;
	temporary_do(&changing);
	for (size_t i = 0; i < changing.step->n_changes; i++)
		if (is_early_removal(changing.step, &changing.step->changes[i]))
			removal_queue(&changing, &changing.step->changes[i], batch);
	if (batch_count(batch) == 0)
		return;
	const char *name = changing.step->detour.name ? step_temporary_name(changing.step, detour)
						      : changing.name;
	if (removals_send(&changing, name, batch, &error) < 0)
		outcome_fail(changing.outcome, &error);
	else
		removals_check(&changing, batch);
}

static void (*const changers[])(struct changing *, const struct change *) = {
	[FIELD_ALIAS] = alias_change,     [FIELD_NAME] = name_change,
	[FIELD_MAC] = mac_change,         [FIELD_MTU] = mtu_change,
	[FIELD_MODE] = mode_change,       [FIELD_BCQUEUELEN] = bcqueuelen_change,
	[FIELD_SYSCTL] = sysctl_change,   [FIELD_UP] = up_change,
	[FIELD_ADDRESS] = address_change, [FIELD_ROUTE] = route_change,
};
#define N_CHANGERS (sizeof(changers) / sizeof(changers[0]))

/* Puts everything back that the kernel took along. What it left is there still; and another link's
 * route that is in the place of ours by now stays. */
static void flushed_restore(struct changing *changing)
{
	struct error error;
	const struct link_spec *desired = changing->step->desired;
	struct batch *batch __attribute__((cleanup(batch_cleanup))) = batch_new();
	queue_details(batch, desired, changing->ifindex, NLM_F_REPLACE, NLM_F_EXCL);
	if (batch_send(changing->netlink, batch, &error) < 0) {
		outcome_fail(changing->outcome, &error);
		return;
	}
	for (size_t i = 0; i < batch_count(batch); i++) {
		const struct operation_context operation_at = detail_operation(desired, i);
		const bool there = i >= desired->n_addrs && batch_reply(batch, i)->errnum == EEXIST;
		if (batch_reply(batch, i)->errnum && !there)
			outcome_refused(changing->outcome, &operation_at, batch_reply(batch, i));
	}
	if (*changing->others)
		snapshot_routes_restore(changing->netlink, changing->ifindex, *changing->others);
}

static void faded_restore(struct changing *changing)
{
	const struct link_spec *desired = changing->step->desired;
	for (size_t i = 0; i < desired->n_sysctls; i++)
		if (sysctl_is_volatile(&desired->sysctls[i]))
			sysctls_put(changing, &desired->sysctls[i], 1);
}

static bool changes_presence(const struct changing *changing)
{
	bool changed = changing->flushed;
	for (size_t i = 0; i < changing->step->n_changes; i++) {
		const struct change *change = &changing->step->changes[i];
		changed |= change->field == FIELD_MAC || change->field == FIELD_UP ||
			   (change->field == FIELD_ADDRESS && change->to);
	}
	return changed;
}

static void change_announce(const struct changing *changing)
{
	struct error error;
	const struct link_spec *desired = changing->step->desired;
	if (!changes_presence(changing) || !link_announces(desired) ||
	    netns_enter(changing->step->ns->handle->fd, &error) < 0)
		return;
	announce_in_netns(changing->netlink, changing->ifindex, desired);
	netns_return(changing->context->host->handle->fd);
}

/* A failure leaves the rest to be done: each change is right by itself. */
void changes_do(struct apply_context *context, const struct step *step, size_t number)
{
	struct changing changing;
	if (!changing_begin(context, step, number, &changing))
		return;
	for (size_t i = 0; i < changing.step->n_changes; i++) {
		const struct change *change = &changing.step->changes[i];
		if (change->field < N_CHANGERS)
			changers[change->field](&changing, change);
	}
	if (changing.flushed)
		flushed_restore(&changing);
	faded_restore(&changing);
	change_announce(&changing);
}
