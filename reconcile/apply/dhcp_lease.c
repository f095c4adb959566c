/* DHCP leases of links: requested and renewed once the links are complete, released before they are
 * deleted. */
#include "reconcile/apply/internal.h"

#include "dhcp/broker.h"
#include "dhcp/client.h"
#include "kernel/netns.h"
#include "reconcile/apply/plan_done.h"
#include "reconcile/plan/dhcp.h"
#include "reconcile/state/lease_routes.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The requests for the plan's steps: requests[i] is for steps[i]. */
struct leasing {
	struct arena *arena;
	size_t *steps;
	size_t n_steps;
	struct pending_request *requests;
	size_t n_requests;
};

static void pending_request_add(struct leasing *leasing, size_t number, const struct live_ns *ns,
				struct dhcp_request request)
{
	*array_push(leasing->arena, leasing->requests, leasing->n_requests) =
		(struct pending_request){.netns = ns->handle->fd, .request = request};
	*array_push(leasing->arena, leasing->steps, leasing->n_steps) = number;
}

static void fail(struct apply_context *context, size_t number, int errnum, enum code code,
		 const char *text, const char *hint)
{
	const struct link_spec *desired = context->plan->steps[number].desired;
	char lease[PREFIX_TEXT_SIZE + 32] = "has no IPv4 address", addr[PREFIX_TEXT_SIZE];
	struct error error;
	if (desired->dhcp.lease.ip.family)
		snprintf(lease, sizeof(lease), "keeps %s until its lease ends",
			 prefix_format(&desired->dhcp.lease, addr));
	error_set(&error, errnum, "%s: %s in namespace %s %s", text, desired->name,
		  desired->ns->name, lease);
	error_hint(&error, "%s", hint);
	error_code(&error, code);
	outcome_fail(&context->outcomes[number], &error);
}

static void fail_answer(struct apply_context *context, size_t number,
			const struct dhcp_answer *answer)
{
	char text[sizeof(answer->text) + 64];
	switch (answer->result) {
	case DHCP_DONE:
		break;
	case DHCP_SILENT:
		snprintf(text, sizeof(text), "no DHCP server answered within %d s",
			 CLIENT_LEASE_TRIES);
		fail(context, number, ETIMEDOUT, CODE_DHCP_SILENT, text,
		     "check that a DHCP server is on this LAN and VLAN, then run mvapply again; "
		     "`mvapply watch` retries");
		break;
	case DHCP_ABSENT:
		fail(context, number, ENOENT, CODE_DHCP_CLIENT,
		     "no DHCP client is installed: udhcpc was not found",
		     "install udhcpc, or a busybox that includes it, and run mvapply again");
		break;
	case DHCP_UNFIT:
		snprintf(text, sizeof(text), "invalid DHCP lease: %s", answer->text);
		fail(context, number, EPROTO, CODE_DHCP_UNFIT, text,
		     "correct the configuration of the DHCP server; its log shows the lease");
		break;
	case DHCP_FAILED:
		snprintf(text, sizeof(text), "the DHCP client failed: %s", answer->text);
		fail(context, number, EIO, CODE_DHCP_CLIENT, text,
		     "`mvapply doctor` checks the client and the capabilities");
		break;
	}
}

/* At half of the lease the kernel marks the address as deprecated, which has no other effect for
 * IPv4. */
static struct addr_terms lease_terms(const struct link_spec *desired, const struct lease *lease)
{
	return (struct addr_terms){.protocol = OWNER_TAG_PROTOCOL,
				   .valid = lease->seconds,
				   .preferred = lease->seconds / 2,
				   .metric = link_spec_addr_metric(desired, AF_INET)};
}

struct putting {
	const struct apply_context *context;
	struct outcome *outcome;
	const struct link_spec *desired;
	struct netlink *netlink;
	int ifindex;
};

static void put(const struct putting *putting, struct operation_context *operation_at, bool encoded,
		const union message *message, int tolerated)
{
	struct error error;
	struct batch *batch __attribute__((cleanup(batch_cleanup))) = batch_new();
	queue(batch, encoded, message, false);
	if (batch_send(putting->netlink, batch, &error) < 0)
		outcome_broke(putting->outcome, operation_at, &error);
	else if (batch_reply(batch, 0)->errnum && batch_reply(batch, 0)->errnum != tolerated)
		outcome_refused(putting->outcome, operation_at, batch_reply(batch, 0));
}

static void route_put(const struct putting *putting, const struct link_route *route, bool replace,
		      int tolerated)
{
	union message message;
	struct operation_context operation_at =
		operation_of(OP_ROUTE_ADD, putting->desired->ns, putting->desired);
	operation_route(&operation_at, route);
	put(putting, &operation_at,
	    encode_route_add(&message, putting->ifindex, route,
			     replace ? NLM_F_REPLACE : NLM_F_EXCL),
	    &message, tolerated);
}

static void address_put(const struct putting *putting, const struct lease *lease)
{
	union message message;
	const struct link_spec *desired = putting->desired;
	struct operation_context operation_at = operation_of(OP_ADDR_ADD, desired->ns, desired);
	operation_prefix(&operation_at, &lease->addr);
	put(putting, &operation_at,
	    encode_addr_add(&message, putting->ifindex, &lease->addr, lease_terms(desired, lease),
			    NLM_F_REPLACE),
	    &message, 0);
}

static bool has_route(const struct link_spec *spec, const struct link_route *route)
{
	for (size_t i = 0; i < spec->n_routes; i++)
		if (link_route_same(&spec->routes[i], route))
			return true;
	return false;
}

/* A route of the old lease to the same destination is replaced. Another program's default route is
 * a conflict without --adopt; its other routes, and those to the subnets of other links, are used
 * in place of the lease's. */
static void routes_put(const struct putting *putting, const struct lease *lease, bool replace)
{
	struct link_route routes[LEASE_LINK_ROUTES_MAX];
	const size_t count = lease_link_routes(&putting->desired->dhcp, lease, routes);
	for (size_t i = 0; i < count && putting->outcome->state != OUTCOME_FAILED; i++) {
		const struct link_route *route = &routes[i];
		const bool known =
			table_is_source(route->table) || has_route(putting->desired, route);
		if (known || !route->to.len)
			route_put(putting, route,
				  replace || known || putting->desired->dhcp.replaces, 0);
		else
			route_put(putting, route, false, EEXIST);
	}
}

static void rule_put(const struct putting *putting, const struct lease *lease)
{
	union message message;
	struct policy_rule rule;
	struct operation_context operation_at =
		operation_of(OP_RULE_ADD, putting->desired->ns, putting->desired);
	if (putting->outcome->state != OUTCOME_FAILED &&
	    lease_link_rule(&putting->desired->dhcp, lease, &rule))
		put(putting, &operation_at, encode_rule_add(&message, &rule), &message, EEXIST);
}

static void new_put(const struct putting *putting, const struct lease *lease, bool replace)
{
	address_put(putting, lease);
	routes_put(putting, lease, replace);
	rule_put(putting, lease);
}

static bool address_replaced(const struct link_spec *desired, const struct lease *lease)
{
	return desired->dhcp.lease.ip.family && !prefix_equal(&desired->dhcp.lease, &lease->addr);
}

static bool lease_has_route(const struct link_dhcp *dhcp, const struct lease *lease,
			    const struct link_route *route)
{
	struct link_route routes[LEASE_LINK_ROUTES_MAX];
	const size_t count = lease_link_routes(dhcp, lease, routes);
	for (size_t i = 0; i < count; i++)
		if (link_route_same(&routes[i], route))
			return true;
	return false;
}

/* No file gives IPv4 routes to a link with a lease: all are of the previous one. */
static void old_routes_remove(const struct putting *putting, const struct lease *lease,
			      struct batch *batch)
{
	union message message;
	const struct link_spec *desired = putting->desired;
	for (size_t i = 0; i < desired->n_routes; i++)
		if (desired->routes[i].to.ip.family == AF_INET &&
		    !lease_has_route(&desired->dhcp, lease, &desired->routes[i]))
			queue(batch,
			      encode_route_delete(&message, putting->ifindex, &desired->routes[i],
						  OWNER_TAG_PROTOCOL, 0),
			      &message, false);
}

static void old_rule_remove(const struct putting *putting, const struct lease *lease,
			    struct batch *batch)
{
	union message message;
	struct policy_rule rule;
	const struct link_spec *desired = putting->desired;
	const bool has = lease_link_rule(&desired->dhcp, lease, &rule);
	for (size_t i = 0; i < desired->policy.n_rules; i++) {
		const struct policy_rule *old = &desired->policy.rules[i];
		if (old->table == desired->dhcp.own_table && old->from.ip.family == AF_INET &&
		    !(has && policy_rule_equal(old, &rule)))
			queue(batch, encode_rule_delete(&message, old), &message, false);
	}
}

/* Removes the objects of the previous lease only. Missing objects need no reply. */
static void old_remove(const struct putting *putting, const struct lease *lease)
{
	union message message;
	struct error error;
	struct batch *batch __attribute__((cleanup(batch_cleanup))) = batch_new();
	old_routes_remove(putting, lease, batch);
	old_rule_remove(putting, lease, batch);
	if (address_replaced(putting->desired, lease))
		queue(batch,
		      encode_addr_delete(&message, putting->ifindex, &putting->desired->dhcp.lease),
		      &message, false);
	if (batch_count(batch))
		(void)batch_send_promote_secondaries(putting->context, putting->netlink,
						     putting->desired->ns, putting->desired->name,
						     batch, &error);
}

/* The old address is removed last: with a link's last address the kernel flushes all routes. The
 * new one may be removed with the old one; then it is added again. */
static void lease_put(const struct putting *putting, const struct lease *lease)
{
	new_put(putting, lease, false);
	if (putting->outcome->state == OUTCOME_FAILED)
		return;
	old_remove(putting, lease);
	if (address_replaced(putting->desired, lease))
		new_put(putting, lease, true);
}

static void lease_announce(struct apply_context *context, struct netlink *netlink, int ifindex,
			   const struct link_spec *desired)
{
	struct error error;
	if (!link_announces(desired) || netns_enter(desired->ns->handle->fd, &error) < 0)
		return;
	const struct announcement all = announcement_of(desired, ifindex);
	announce_in_netns(&context->used_sockets, netlink, &all);
	netns_return(context->host->handle->fd);
}

static void lease_take(struct apply_context *context, size_t number, const struct lease *lease)
{
	const struct link_spec *desired = context->plan->steps[number].desired;
	struct outcome *outcome = &context->outcomes[number];
	const bool same = prefix_equal(&desired->dhcp.lease, &lease->addr);
	struct putting putting = {.context = context, .outcome = outcome, .desired = desired};
	const struct operation_context operation_at =
		operation_of(OP_ADDR_ADD, desired->ns, desired);
	struct error error;
	putting.netlink = ns_socket(context, desired->ns, &error);
	if (!putting.netlink ||
	    link_index_find(putting.netlink, desired->name, &putting.ifindex, &error) < 0) {
		outcome_broke(outcome, &operation_at, &error);
		return;
	}
	lease_put(&putting, lease);
	if (outcome->state == OUTCOME_FAILED)
		return;
	outcome_lease(outcome, lease);
	name_servers_write(context, number, lease);
	const struct link_spec leased = link_spec_leased(desired, lease, context->arena);
	if (!same)
		lease_announce(context, putting.netlink, putting.ifindex, &leased);
}

static void answer_take(struct apply_context *context, size_t number,
			const struct dhcp_answer *answer)
{
	if (answer->result == DHCP_DONE)
		lease_take(context, number, &answer->lease);
	else
		fail_answer(context, number, answer);
}

static void leases_request(struct apply_context *context, struct leasing *leasing)
{
	dhcp_broker_request(context->broker, leasing->requests, leasing->n_requests);
	for (size_t i = 0; i < leasing->n_requests; i++)
		answer_take(context, leasing->steps[i], &leasing->requests[i].answer);
}

void leases_do(struct apply_context *context)
{
	const struct plan *plan = context->plan;
	struct arena *arena __attribute__((cleanup(arena_cleanup))) = arena_new();
	struct leasing leasing = {.arena = arena};
	for (size_t i = 0; i < plan->n_steps; i++) {
		const struct link_spec *desired = plan->steps[i].desired;
		if (!step_selected(context, &plan->steps[i]) || !step_leases(&plan->steps[i]) ||
		    context->leases.deferred[i] || context->outcomes[i].state == OUTCOME_FAILED)
			continue;
		if (context->leases.answers[i])
			answer_take(context, i, context->leases.answers[i]);
		else
			pending_request_add(&leasing, i, desired->ns, lease_request(desired));
	}
	if (leasing.n_requests)
		leases_request(context, &leasing);
}

static bool network_same(const struct owner_tag *a, const struct owner_tag *b)
{
	return strcmp(a->set, b->set) == 0 && strcmp(a->network, b->network) == 0;
}

/* Whether one of the first `count` requests found no server on its network, and none found one. */
static bool network_silent(const struct apply_context *context, const struct leasing *leasing,
			   size_t count, size_t number)
{
	const struct step *steps = context->plan->steps;
	bool silent = false;
	for (size_t i = 0; i < count; i++) {
		const enum dhcp_result result = leasing->requests[i].answer.result;
		if (!network_same(steps[leasing->steps[i]].tag, steps[leasing->steps[number]].tag))
			continue;
		if (result == DHCP_DONE)
			return false;
		silent |= result == DHCP_SILENT;
	}
	return silent;
}

/* Deletions wait for the releases: once for a missing server, and not for each of its leases. */
static void releases_request(const struct apply_context *context, struct leasing *leasing)
{
	struct pending_request batch[CLIENTS_AT_ONCE];
	size_t numbers[CLIENTS_AT_ONCE], count, end;
	for (size_t begin = 0; begin < leasing->n_requests; begin = end) {
		for (count = 0, end = begin; end < leasing->n_requests && count < CLIENTS_AT_ONCE;
		     end++) {
			leasing->requests[end].answer.result = DHCP_SILENT;
			if (network_silent(context, leasing, begin, end))
				continue;
			batch[count] = leasing->requests[end];
			numbers[count++] = end;
		}
		dhcp_broker_request(context->broker, batch, count);
		for (size_t i = 0; i < count; i++)
			leasing->requests[numbers[i]].answer = batch[i].answer;
	}
}

/* May point into the answer. */
static const char *answer_trouble(const struct dhcp_answer *answer)
{
	return answer->result == DHCP_SILENT   ? "no DHCP server answered"
	       : answer->result == DHCP_ABSENT ? "no DHCP client (udhcpc) is installed"
					       : answer->text;
}

/* Without an answer from the server, it frees the address when the lease expires. */
static void release_note(const struct apply_context *context, size_t number,
			 const struct pending_request *pending)
{
	char addr[IP_TEXT_SIZE];
	const struct dhcp_answer *answer = &pending->answer;
	if (answer->result == DHCP_DONE)
		return;
	outcome_note(&context->outcomes[number],
		     "the lease of %s expires instead of being released: %s",
		     ip_format(&pending->request.addr, addr), answer_trouble(answer));
}

void releases_do(struct apply_context *context)
{
	const struct plan *plan = context->plan;
	struct arena *arena __attribute__((cleanup(arena_cleanup))) = arena_new();
	struct leasing leasing = {.arena = arena};
	for (size_t i = 0; !context->keep_leases && i < plan->n_steps; i++) {
		const struct step *step = &plan->steps[i];
		const struct live_addr *lease =
			step_selected(context, step) ? lease_ended(context->live, step) : NULL;
		if (lease)
			pending_request_add(
				&leasing, i, step->ns,
				dhcp_request_of(step->tag, DHCP_RELEASE, step->current->kind,
						step->current->name, &lease->prefix.ip));
	}
	releases_request(context, &leasing);
	for (size_t i = 0; i < leasing.n_requests; i++)
		release_note(context, leasing.steps[i], &leasing.requests[i]);
}

/* Whether packets of the lease are looked up in the link's own table (`policy_routing`). */
static bool has_lease_rule(const struct link_spec *spec)
{
	for (size_t i = 0; i < spec->policy.n_rules; i++)
		if (spec->policy.rules[i].table == spec->dhcp.own_table &&
		    spec->policy.rules[i].from.ip.family == AF_INET)
			return true;
	return false;
}

/* The use of DHCP as its routes on the link show it: those that it does not use outside of its own
 * table are not used again. */
static void dhcp_of_live(struct link_spec *spec, const struct prefix *lease)
{
	spec->dhcp = (struct link_dhcp){.enabled = true,
					.internal = true,
					.own_table = SOURCE_TABLE_FIRST,
					.lease = *lease};
	for (size_t i = 0; i < spec->n_routes; i++) {
		const struct link_route *route = &spec->routes[i];
		if (route->to.ip.family != AF_INET)
			continue;
		if (table_is_source(route->table)) {
			spec->dhcp.own_table = route->table;
		} else if (route->to.len) {
			spec->dhcp.internal = false;
		} else {
			spec->dhcp.gateway = true;
			spec->dhcp.table = route->table;
		}
	}
	spec->dhcp.rule = has_lease_rule(spec);
}

static const char *regained_put(struct apply_context *context, const struct link_spec *spec,
				const struct lease *lease)
{
	struct outcome outcome = {.state = OUTCOME_NOT_DONE};
	struct error error;
	struct putting putting = {.context = context, .outcome = &outcome, .desired = spec};
	putting.netlink = ns_socket(context, spec->ns, &error);
	if (!putting.netlink ||
	    link_index_find(putting.netlink, spec->name, &putting.ifindex, &error) < 0)
		return arena_strdup(context->arena, error.text);
	lease_put(&putting, lease);
	const char *trouble = outcome.state == OUTCOME_FAILED
				      ? arena_strdup(context->arena, outcome.error->text)
				      : NULL;
	free(outcome.error);
	return trouble;
}

const char *lease_regain(struct apply_context *context, const struct step *step,
			 struct link_spec *spec)
{
	const struct live_addr *old = lease_ended(context->live, step);
	if (!old || context->keep_leases)
		return NULL;
	struct pending_request pending = {
		.netns = step->ns->handle->fd,
		.request = dhcp_request_of(step->tag, DHCP_LEASE, step->current->kind,
					   step->current->name, &old->prefix.ip)};
	dhcp_of_live(spec, &old->prefix);
	dhcp_broker_request(context->broker, &pending, 1);
	if (pending.answer.result == DHCP_DONE)
		return regained_put(context, spec, &pending.answer.lease);
	return arena_strdup(context->arena, answer_trouble(&pending.answer));
}
