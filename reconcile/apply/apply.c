#include "reconcile/apply/apply.h"

#include "kernel/netns.h"
#include "kernel/sysctl.h"
#include "lib/hashmap.h"
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

bool operation_sets(const struct operation *operation)
{
	switch (operation->type) {
	case OP_LINK_ALIAS:
	case OP_LINK_RENAME:
	case OP_LINK_MAC:
	case OP_LINK_MTU:
	case OP_LINK_MODE:
	case OP_LINK_BCQUEUELEN:
	case OP_LINK_BCLIM:
	case OP_LINK_IPVLAN_FLAG:
	case OP_LINK_TXQUEUELEN:
	case OP_LINK_PROMISC:
	case OP_LINK_ALLMULTICAST:
	case OP_LINK_UP:
	case OP_LINK_DOWN:
		return true;
	case OP_LINK_NEW:
	case OP_LINK_MOVE:
	case OP_LINK_DELETE:
	case OP_SYSCTL_SET:
	case OP_ALTNAME_DELETE:
	case OP_ALTNAME_ADD:
	case OP_ADDR_DELETE:
	case OP_ADDR_ADD:
	case OP_ROUTE_DELETE:
	case OP_ROUTE_ADD:
	case OP_RULE_DELETE:
	case OP_RULE_ADD:
	case OP_RESTORE:
	case OP_LEASE:
	case N_OPERATION_TYPES:
		break;
	}
	return false;
}

/* The values of IFLA_INFO_DATA. */
static void value_add(struct link_change *change, enum operation_type type)
{
	static const struct {
		enum operation_type type;
		enum link_value value;
	} values[] = {{OP_LINK_MODE, VALUE_MODE},
		      {OP_LINK_BCQUEUELEN, VALUE_BCQUEUELEN},
		      {OP_LINK_BCLIM, VALUE_BCLIM},
		      {OP_LINK_IPVLAN_FLAG, VALUE_IPVLAN_FLAG}};
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		if (values[i].type == type)
			change->values |= 1U << values[i].value;
}

static void flag_add(struct link_change *change, enum operation_type type)
{
	const struct {
		enum operation_type type;
		unsigned flag;
		bool set;
	} flags[] = {{OP_LINK_UP, IFF_UP, true},
		     {OP_LINK_DOWN, IFF_UP, false},
		     {OP_LINK_PROMISC, IFF_PROMISC, change->spec->promisc},
		     {OP_LINK_ALLMULTICAST, IFF_ALLMULTI, change->spec->allmulticast}};
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		if (flags[i].type != type)
			continue;
		change->flags_mask |= flags[i].flag;
		change->flags |= flags[i].set ? flags[i].flag : 0;
	}
}

static void change_add(struct link_change *change, const struct operation *operation)
{
	const struct link_spec *spec = change->spec;
	change->alias = operation->type == OP_LINK_ALIAS ? spec->alias : change->alias;
	change->name = operation->type == OP_LINK_RENAME ? operation->name : change->name;
	change->mac = operation->type == OP_LINK_MAC ? &operation->mac : change->mac;
	change->mtu = operation->type == OP_LINK_MTU ? spec->mtu : change->mtu;
	change->txqueuelen |= operation->type == OP_LINK_TXQUEUELEN;
	value_add(change, operation->type);
	flag_add(change, operation->type);
}

static bool encode_settings(const struct operation *operations, size_t count,
			    const struct link_spec *spec, int ifindex, union message *message)
{
	struct link_change change = {.spec = spec};
	for (size_t i = 0; i < count; i++) {
		if (operations[i].type == OP_LINK_ALIAS && !spec->alias)
			return false;
		change_add(&change, &operations[i]);
	}
	return encode_link_change(message, ifindex, &change);
}

void queue_settings(struct batch *batch, const struct operation *operations, size_t count,
		    const struct link_spec *spec, int ifindex, bool together)
{
	union message message;
	const bool encoded = encode_settings(operations, count, spec, ifindex, &message);
	queue(batch, encoded, &message, together);
}

static bool encode_operation(const struct operation *operation, const struct link_spec *spec,
			     int ifindex, union message *message)
{
	const struct link_route *route = operation->route;
	const uint16_t flags = operation->replace ? NLM_F_REPLACE : NLM_F_EXCL;
	switch (operation->type) {
	case OP_LINK_ALIAS:
	case OP_LINK_RENAME:
	case OP_LINK_MAC:
	case OP_LINK_MTU:
	case OP_LINK_MODE:
	case OP_LINK_BCQUEUELEN:
	case OP_LINK_BCLIM:
	case OP_LINK_IPVLAN_FLAG:
	case OP_LINK_TXQUEUELEN:
	case OP_LINK_PROMISC:
	case OP_LINK_ALLMULTICAST:
	case OP_LINK_UP:
	case OP_LINK_DOWN:
		return encode_settings(operation, 1, spec, ifindex, message);
	case OP_LINK_DELETE:
		return encode_link_delete(message, ifindex);
	case OP_ALTNAME_DELETE:
		return encode_altname_delete(message, ifindex, operation->name);
	case OP_ALTNAME_ADD:
		return encode_altname_add(message, ifindex, operation->name);
	case OP_ADDR_DELETE:
		return encode_addr_delete(message, ifindex, operation->addr);
	case OP_ADDR_ADD:
		return encode_addr_add(message, ifindex, operation->addr,
				       link_spec_addr_terms(spec, operation->addr), flags);
	case OP_ROUTE_DELETE:
		return encode_route_delete(message, ifindex, route, route->protocol,
					   route->options.metric);
	case OP_ROUTE_ADD:
		return encode_route_add(message, ifindex, route, flags);
	case OP_RULE_DELETE:
		return encode_rule_delete(message, operation->rule);
	case OP_RULE_ADD:
		return encode_rule_add(message, operation->rule);
	case OP_LINK_NEW:
	case OP_LINK_MOVE:
	case OP_SYSCTL_SET:
	case OP_RESTORE:
	case OP_LEASE:
	case N_OPERATION_TYPES:
		break; /* not a single message */
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

/* The kernel assigns ifindexes upwards from 1. One this high was chosen by mvapply, or the host had
 * two million links. */
#define IFINDEX_FIRST 2000000
#define IFINDEX_COUNT 6000000

static bool ifindex_free(const struct apply_context *context, const struct live_ns *ns, int ifindex)
{
	const struct live_link *holder = live_link_by_index(ns, ifindex);
	if (!holder)
		holder = live_link_by_index(context->host, ifindex);
	return !holder || link_deleted(context, holder);
}

static int ifindex_next(struct apply_context *context, const struct live_ns *ns)
{
	uint32_t start;
	if (!context->next_ifindex) {
		if (getrandom(&start, sizeof(start), GRND_NONBLOCK) != sizeof(start))
			start = (uint32_t)ns->inode;
		context->next_ifindex = IFINDEX_FIRST + (int)(start % IFINDEX_COUNT);
	}
	while (!ifindex_free(context, ns, context->next_ifindex))
		context->next_ifindex++;
	return context->next_ifindex++;
}

int ifindex_choose(struct apply_context *context, const struct link_spec *spec)
{
	if (spec->ifindex && ifindex_free(context, spec->ns, spec->ifindex))
		return spec->ifindex;
	pthread_mutex_lock(&context->mutex);
	const int ifindex = ifindex_next(context, spec->ns);
	pthread_mutex_unlock(&context->mutex);
	return ifindex;
}

int sysctl_put(const struct link_sysctl *sysctl, const char *name, struct error *error)
{
	int status = sysctl_write(sysctl->key, name, sysctl->value, error);
	return status == -ENOENT && !sysctl->required ? 0 : status;
}

size_t step_number(const struct apply_context *context, const struct step *step)
{
	return (size_t)(step - context->plan->steps);
}

bool step_selected(const struct apply_context *context, const struct step *step)
{
	return selection_has(&context->selection, step);
}

bool step_creates(const struct apply_context *context, const struct step *step)
{
	return step_selected(context, step) &&
	       (step->action == ACTION_CREATE || step->action == ACTION_REPLACE);
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

static void removals_all(struct apply_context *context)
{
	each_stage_item (item, &context->stages, STAGE_GIVE_UP)
		if (step_selected(context, item->step))
			removals_do(context, item);
}

static void stage_do(struct apply_context *context, enum stage stage, bool probe)
{
	switch (stage) {
	case STAGE_PARENT_REQUESTED:
		requested_do(context, stage);
		break;
	case STAGE_PARENT_CREATE:
		parents_create(context);
		if (probe)
			probes_send(context);
		steps_defer(context);
		break;
	case STAGE_GIVE_UP:
		releases_do(context);
		name_servers_remove(context);
		sourced_note(context);
		removals_all(context);
		break;
	case STAGE_DELETE:
		replaced_note(context);
		parents_in_use_keep(context, STAGE_PARENT_DELETE);
		parents_with_children_do(context);
		deletes_do(context, stage);
		break;
	case STAGE_PARENT_DELETE:
		deletes_do(context, stage);
		break;
	case STAGE_CREATE_CHANGE:
		additions_do(context);
		neighbors_forget(context);
		replaced_put_back(context);
		sourced_put_back(context);
		break;
	case STAGE_PARENT_DELETE_LATE:
		if (probe)
			unused_find(context);
		parents_in_use_keep(context, stage);
		deletes_do(context, stage);
		unused_parents_delete(context);
		break;
	case STAGE_PARENT_RENAME:
		parents_rename(context);
		break;
	case STAGE_PARENT_RELEASED:
		requested_do(context, stage);
		break;
	case STAGE_LEASE:
		leases_do(context);
		break;
	case N_STAGES:
		break;
	}
}

/* Returns the number of failed steps. */
static size_t outcomes_finish(const struct selection *selection, struct outcome *outcomes)
{
	size_t failed = 0;
	for (size_t i = 0; i < selection->plan->n_steps; i++) {
		if (outcomes[i].state == OUTCOME_NOT_DONE && selection->selected[i])
			outcomes[i].state = OUTCOME_DONE;
		failed += outcomes[i].state == OUTCOME_FAILED;
	}
	return failed;
}

/* Whether no message, and no DHCP server, precedes the deletions. */
static bool only_deletes(const struct selection *selection, const struct live *live)
{
	const struct plan *plan = selection->plan;
	for (size_t i = 0; i < plan->n_steps; i++)
		if (selection->selected[i] && plan->steps[i].action != ACTION_DELETE)
			return false;
	return leases_ending(selection, live) == 0;
}

size_t apply(const struct selection *selection, const struct live *live,
	     const struct apply_options *options, struct outcome *outcomes)
{
	struct arena *arena __attribute__((cleanup(arena_cleanup))) = arena_new();
	const struct plan *plan = selection->plan;
	struct apply_context context = {
		.mutex = PTHREAD_MUTEX_INITIALIZER,
		.changing = PTHREAD_MUTEX_INITIALIZER,
		.plan = plan,
		.selection = selection_copy(selection, arena),
		.live = live,
		.outcomes = outcomes,
		.host = live->namespaces[0],
		.leases = options->leases ? *options->leases : leases_unknown(plan, arena),
		.keep_leases = options->keep_leases,
		.keep_name_servers = options->keep_name_servers,
		.silent = options->silent,
		.handed_over = options->handed_over,
		.fresh = options->fresh && only_deletes(selection, live),
		.broker = options->broker,
		.done = options->done,
		.announcer = -1,
		.used_sockets = {.by_process = options->process_ends},
		.arena = arena,
		.others = arena_alloc(arena, plan->n_steps * sizeof(*context.others)),
		.sourced = arena_alloc(arena, (plan->n_steps + 1) * sizeof(*context.sourced)),
		.deleted = arena_alloc(arena, plan->n_steps + 1),
		.back = arena_alloc(arena, plan->n_steps + 1)};
	for (size_t i = 0; i < plan->n_steps; i++) {
		outcomes[i].state = OUTCOME_NOT_DONE;
		context.n_creates += step_creates(&context, &plan->steps[i]);
		context.n_changes += changes(&context, &plan->steps[i]);
	}
	context.stages = stages_of(arena, &context.selection, live);
	for (enum stage stage = 0; stage < N_STAGES; stage++)
		stage_do(&context, stage, options->probe);
	packet_sockets_add(&context.used_sockets, context.announcer);
	packet_sockets_close(&context.used_sockets);
	index_free(context.moved);
	pthread_mutex_destroy(&context.mutex);
	pthread_mutex_destroy(&context.changing);
	return outcomes_finish(selection, outcomes);
}
