#include "reconcile/apply/apply.h"

#include "kernel/announce_packet.h"
#include "kernel/netns.h"
#include "kernel/sysctl.h"
#include "reconcile/apply/internal.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <sys/random.h>

struct netlink *ns_socket(const struct apply_context *context, struct live_ns *ns,
			  struct error *error)
{
	struct ns_handle *handle = ns->handle;
	if (handle->netlink)
		return handle->netlink;
	if (netns_enter(handle->fd, error) < 0)
		return NULL;
	handle->netlink = netlink_open(error);
	netns_return(context->host->handle->fd);
	return handle->netlink;
}

void queue(struct batch *batch, bool encoded, const union message *message, bool together)
{
	if (encoded)
		batch_add(batch, &message->header, together);
	else
		batch_add_refused(batch, EINVAL, "the message cannot be encoded");
}

static bool encode_operation(const struct operation *operation, const struct link_spec *spec,
			     int ifindex, union message *message)
{
	const struct link_route *route = operation->route;
	const uint16_t flags = operation->replace ? NLM_F_REPLACE : NLM_F_EXCL;
	switch (operation->type) {
	case OP_LINK_ALIAS:
		return encode_link_alias(message, ifindex, spec->alias);
	case OP_LINK_DELETE:
		return encode_link_delete(message, ifindex);
	case OP_LINK_RENAME:
		return encode_link_name(message, ifindex, operation->name);
	case OP_LINK_MAC:
		return encode_link_mac(message, ifindex, &operation->mac);
	case OP_LINK_MTU:
		return encode_link_mtu(message, ifindex, spec->mtu);
	case OP_LINK_MODE:
		return encode_link_attribute(message, ifindex, spec, VALUE_MODE);
	case OP_LINK_BCQUEUELEN:
		return encode_link_attribute(message, ifindex, spec, VALUE_BCQUEUELEN);
	case OP_LINK_UP:
	case OP_LINK_DOWN:
		return encode_link_up(message, ifindex, operation->type == OP_LINK_UP);
	case OP_ADDR_DELETE:
		return encode_addr_delete(message, ifindex, operation->addr);
	case OP_ADDR_ADD:
		return encode_addr_add(message, ifindex, operation->addr,
				       link_spec_addr_terms(spec, operation->addr), flags);
	case OP_ROUTE_DELETE:
		return encode_route_delete(message, ifindex, route, route->protocol, route->metric);
	case OP_ROUTE_ADD:
		return encode_route_add(message, ifindex, route, flags);
	case OP_LINK_NEW:
	case OP_LINK_MOVE:
	case OP_SYSCTL_SET:
	case OP_RESTORE:
	case OP_LEASE:
	case N_OPERATION_TYPES:
		break; /* no single message */
	}
	return false;
}

void queue_operation(struct batch *batch, const struct operation *operation,
		     const struct link_spec *spec, int ifindex)
{
	union message message;
	const bool encoded = encode_operation(operation, spec, ifindex, &message);
	queue(batch, encoded, &message, operation->together);
}

/* The kernel counts up from 1. Whoever is up here is one of ours, or had two million links. */
#define IFINDEX_FIRST 2000000
#define IFINDEX_COUNT 6000000

static bool ifindex_free(const struct apply_context *context, const struct live_ns *ns, int ifindex)
{
	const struct live_link *holder = live_link_by_index(ns, ifindex);
	if (!holder)
		holder = live_link_by_index(context->host, ifindex);
	return !holder || link_deleted(context, holder);
}

int ifindex_choose(struct apply_context *context, const struct link_spec *spec)
{
	const struct live_ns *ns = spec->ns;
	uint32_t start;
	if (spec->ifindex && ifindex_free(context, ns, spec->ifindex))
		return spec->ifindex;
	if (!context->next_ifindex) {
		if (getrandom(&start, sizeof(start), GRND_NONBLOCK) != sizeof(start))
			start = (uint32_t)ns->inode;
		context->next_ifindex = IFINDEX_FIRST + (int)(start % IFINDEX_COUNT);
	}
	while (!ifindex_free(context, ns, context->next_ifindex))
		context->next_ifindex++;
	return context->next_ifindex++;
}

int sysctl_put(const struct link_sysctl *sysctl, const char *name, struct error *error)
{
	int status = sysctl_write(sysctl->key, name, sysctl->value, error);
	return status == -ENOENT && !sysctl->asked ? 0 : status;
}

bool step_selected(const struct apply_context *context, const struct step *step)
{
	return selection_has(&context->selection, step);
}

static bool creates(const struct apply_context *context, const struct step *step)
{
	return step_selected(context, step) &&
	       (step->action == ACTION_CREATE || step->action == ACTION_REPLACE);
}

/* The steps from here on that create attachments in one namespace, whose messages go together. What
 * is made in the host's namespace is made one by one: later links hang on it. */
static size_t creates_end(const struct apply_context *context, size_t from)
{
	const struct plan *plan = context->plan;
	size_t end = from + 1;
	if (plan->steps[from].mark.role != ROLE_ATTACH)
		return end;
	while (end < plan->n_steps && creates(context, &plan->steps[end]) &&
	       plan->steps[end].mark.role == ROLE_ATTACH &&
	       plan->steps[end].desired->ns == plan->steps[from].desired->ns)
		end++;
	return end;
}

static bool changes(const struct apply_context *context, const struct step *step)
{
	return step_selected(context, step) && step->action == ACTION_CHANGE;
}

void steps_count(const struct apply_context *context, size_t count)
{
	if (context->done)
		atomic_fetch_add(context->done, count);
}

static void additions_do(struct apply_context *context)
{
	const struct plan *plan = context->plan;
	for (size_t i = 0, end; i < plan->n_steps; i = end) {
		end = i + 1;
		const struct step *step = &plan->steps[i];
		if (creates(context, step)) {
			end = creates_end(context, i);
			creates_do(context, i, end);
			steps_count(context, end - i);
		} else if (changes(context, step) && !renames_late(context, step)) {
			changes_do(context, step, i);
			steps_count(context, 1);
		}
	}
}

static void removals_all(struct apply_context *context)
{
	for (size_t i = 0; i < context->plan->n_steps; i++)
		if (changes(context, &context->plan->steps[i]))
			removals_do(context, i);
}

/* Parents come before the links that leave, and leave after those that come: whatever fails, there
 * is something to go back to. */
static void all_do(struct apply_context *context, bool ask)
{
	parents_make(context);
	if (ask)
		probes_ask(context);
	steps_defer(context);
	releases_do(context);
	removals_all(context);
	replaced_note(context);
	deletes_do(context);
	additions_do(context);
	replaced_put_back(context);
	parents_finish(context, ask);
	leases_do(context);
}

/* Gives the number of the failed ones. */
static size_t outcomes_settle(const struct selection *selection, struct outcome *outcomes)
{
	size_t failed = 0;
	for (size_t i = 0; i < selection->plan->n_steps; i++) {
		if (outcomes[i].state == OUTCOME_NOT_DONE && selection->selected[i])
			outcomes[i].state = OUTCOME_DONE;
		failed += outcomes[i].state == OUTCOME_FAILED;
	}
	return failed;
}

size_t apply(const struct selection *selection, const struct live *live,
	     const struct apply_options *options, struct outcome *outcomes)
{
	struct arena *arena __attribute__((cleanup(arena_cleanup))) = arena_new();
	const struct plan *plan = selection->plan;
	struct apply_context context = {
		.plan = plan,
		.selection = selection_copy(selection, arena),
		.live = live,
		.outcomes = outcomes,
		.host = live->namespaces[0],
		.leases = options->leases ? *options->leases : leases_unknown(plan, arena),
		.keep_leases = options->keep_leases,
		.broker = options->broker,
		.done = options->done,
		.announcer = -1,
		.arena = arena,
		.others = arena_alloc(arena, plan->n_steps * sizeof(*context.others)),
		.deleted = arena_alloc(arena, plan->n_steps + 1),
		.back = arena_alloc(arena, plan->n_steps + 1)};
	for (size_t i = 0; i < plan->n_steps; i++) {
		outcomes[i].state = OUTCOME_NOT_DONE;
		context.n_creates += creates(&context, &plan->steps[i]);
	}
	all_do(&context, options->probe);
	announce_close(context.announcer);
	return outcomes_settle(selection, outcomes);
}
