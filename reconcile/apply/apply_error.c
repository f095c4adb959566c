/* The error messages of apply. */
#include "reconcile/apply/hints.h"
#include "reconcile/apply/internal.h"

#include "kernel/link_kind.h"
#include "lib/memory.h"
#include "schema/words.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* LINK and DETAIL stand for the values of struct operation_context. */
static const char *const sentences[N_OPERATION_TYPES] = {
	[OP_LINK_NEW] = "cannot create LINK",
	[OP_LINK_MOVE] = "cannot move LINK",
	[OP_LINK_ALIAS] = "cannot set the owner tag of LINK",
	[OP_LINK_RENAME] = "cannot rename LINK to DETAIL",
	[OP_LINK_MAC] = "cannot set the MAC address of LINK to DETAIL",
	[OP_LINK_MTU] = "cannot set the MTU of LINK to DETAIL",
	[OP_LINK_MODE] = "cannot set the mode of LINK to DETAIL",
	[OP_LINK_BCQUEUELEN] = "cannot set bcqueuelen of LINK to DETAIL",
	[OP_LINK_BCLIM] = "cannot set bclim of LINK to DETAIL",
	[OP_LINK_IPVLAN_FLAG] = "cannot set ipvlan_flag of LINK to DETAIL",
	[OP_LINK_TXQUEUELEN] = "cannot set txqueuelen of LINK to DETAIL",
	[OP_LINK_PROMISC] = "cannot set promisc of LINK to DETAIL",
	[OP_LINK_ALLMULTICAST] = "cannot set allmulticast of LINK to DETAIL",
	[OP_ALTNAME_DELETE] = "cannot remove altname DETAIL from LINK",
	[OP_ALTNAME_ADD] = "cannot add altname DETAIL to LINK",
	[OP_SYSCTL_SET] = "cannot set DETAIL of LINK",
	[OP_LINK_UP] = "cannot bring LINK up",
	[OP_ADDR_ADD] = "cannot add address DETAIL to LINK",
	[OP_ROUTE_ADD] = "cannot add route DETAIL to LINK",
	[OP_LINK_DOWN] = "cannot bring LINK down",
	[OP_RESTORE] = "cannot restore the addresses and routes of LINK",
	[OP_LEASE] = "cannot request a lease for LINK",
	[OP_LINK_DELETE] = "cannot delete LINK",
	[OP_ADDR_DELETE] = "cannot remove address DETAIL from LINK",
	[OP_RULE_ADD] = "cannot add rule DETAIL for LINK",
	[OP_RULE_DELETE] = "cannot remove rule DETAIL of LINK",
	[OP_ROUTE_DELETE] = "cannot remove route DETAIL from LINK",
};

/* Writes the template, with values in place of its capitalised words. */
static void fill(char *ret, size_t size, const char *template,
		 const struct operation_context *operation_at)
{
	const struct {
		const char *word, *value;
	} words[] = {
		{"LINK", operation_at->link},
		{"DETAIL", operation_at->detail},
		{"PARENT", operation_at->parent ? operation_at->parent : "the parent"},
		{"MODULE", link_type(operation_at->kind)->module},
	};
	size_t used = 0;
	while (*template && used + 1 < size) {
		size_t i = 0;
		while (i < 4 && strncmp(template, words[i].word, strlen(words[i].word)) != 0)
			i++;
		if (i == 4) {
			ret[used++] = *template ++;
			continue;
		}
		template += strlen(words[i].word);
		used += (size_t)snprintf(ret + used, size - used, "%s", words[i].value);
	}
	ret[used < size ? used : size - 1] = '\0';
}

static void operation_hint(const struct operation_context *operation_at, struct error *error)
{
	const struct hint *hint = hint_find(error->errnum, operation_at->type, operation_at->kind);
	if (!hint)
		return;
	error_code(error, hint->code);
	fill(error->hint, sizeof(error->hint), hint->text, operation_at);
}

struct outcome *outcomes_new(size_t count)
{
	return memory_new(count + 1, sizeof(struct outcome));
}

void outcome_clear(struct outcome *outcome)
{
	free(outcome->error);
	free(outcome->note);
	free(outcome->lease);
	*outcome = (struct outcome){.state = OUTCOME_NOT_DONE};
}

void outcomes_free(struct outcome *outcomes, size_t count)
{
	for (size_t i = 0; outcomes && i < count; i++)
		outcome_clear(&outcomes[i]);
	free(outcomes);
}

void outcome_lease(struct outcome *outcome, const struct lease *lease)
{
	if (!outcome->lease)
		outcome->lease = memory_new(1, sizeof(*outcome->lease));
	*outcome->lease = *lease;
}

bool outcome_busy(const struct outcome *outcome)
{
	const struct error *error = outcome->error;
	return outcome->state == OUTCOME_FAILED &&
	       (error->code == CODE_MAC_BUSY ||
		(error->code == CODE_ADDRESS_UNMANAGED && error->errnum == EADDRINUSE));
}

void outcome_fail(struct outcome *outcome, const struct error *error)
{
	if (outcome->state == OUTCOME_FAILED)
		return;
	outcome->state = OUTCOME_FAILED;
	outcome->error = memory_new(1, sizeof(*outcome->error));
	*outcome->error = *error;
}

__attribute__((format(printf, 2, 0))) static void note_set(struct outcome *outcome,
							   const char *format, va_list args)
{
	free(outcome->note);
	if (vasprintf(&outcome->note, format, args) < 0)
		outcome->note = memory_or_die(NULL);
}

void outcome_note(struct outcome *outcome, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	note_set(outcome, format, args);
	va_end(args);
}

void outcome_defer(struct outcome *outcome, const char *format, ...)
{
	if (outcome->state == OUTCOME_FAILED)
		return;
	outcome->state = OUTCOME_DEFERRED;
	va_list args;
	va_start(args, format);
	note_set(outcome, format, args);
	va_end(args);
}

void outcome_broke(struct outcome *outcome, const struct operation_context *operation_at,
		   const struct error *error)
{
	struct error reported = *error;
	char sentence[256];
	fill(sentence, sizeof(sentence), sentences[operation_at->type], operation_at);
	if (operation_at->ns->host)
		error_prepend(&reported, "%s", sentence);
	else
		error_prepend(&reported, "%s in namespace %s", sentence, operation_at->ns->name);
	if (!reported.hint[0])
		operation_hint(operation_at, &reported);
	outcome_fail(outcome, &reported);
}

void outcome_refused(struct outcome *outcome, const struct operation_context *operation_at,
		     const struct reply *reply)
{
	struct error error;
	error_set(&error, reply->errnum, "%s%s%s", strerror(reply->errnum),
		  reply->text[0] ? ": " : "", reply->text);
	outcome_broke(outcome, operation_at, &error);
}

struct operation_context operation_of(enum operation_type type, const struct live_ns *ns,
				      const struct link_spec *spec)
{
	return (struct operation_context){.type = type,
					  .link = spec->name,
					  .ns = ns,
					  .kind = spec->kind,
					  .parent = spec->parent_name};
}

void operation_prefix(struct operation_context *operation_at, const struct prefix *prefix)
{
	char text[PREFIX_TEXT_SIZE];
	snprintf(operation_at->detail, sizeof(operation_at->detail), "%s",
		 prefix_format(prefix, text));
}

void operation_route(struct operation_context *operation_at, const struct link_route *route)
{
	char to[PREFIX_TEXT_SIZE], via[IP_TEXT_SIZE];
	const char *target = route->to.len ? prefix_format(&route->to, to) : "default";
	if (route->via.family)
		snprintf(operation_at->detail, sizeof(operation_at->detail), "%s via %s", target,
			 ip_format(&route->via, via));
	else
		snprintf(operation_at->detail, sizeof(operation_at->detail), "%s", target);
}

static void detail_text(struct operation_context *context, const char *text)
{
	snprintf(context->detail, sizeof(context->detail), "%s", text);
}

struct operation_context operation_context_of(const struct operation *operation,
					      const struct live_ns *ns,
					      const struct link_spec *spec)
{
	struct operation_context context = operation_of(operation->type, ns, spec);
	char text[PREFIX_TEXT_SIZE];
	switch (operation->type) {
	case OP_LINK_BCLIM:
		snprintf(context.detail, sizeof(context.detail), "%d", spec->bclim);
		break;
	case OP_LINK_IPVLAN_FLAG:
		detail_text(&context, ipvlan_flag_name(spec->ipvlan_flag));
		break;
	case OP_LINK_TXQUEUELEN:
		snprintf(context.detail, sizeof(context.detail), "%u", spec->txqueuelen);
		break;
	case OP_LINK_PROMISC:
		detail_text(&context, spec->promisc ? "true" : "false");
		break;
	case OP_LINK_ALLMULTICAST:
		detail_text(&context, spec->allmulticast ? "true" : "false");
		break;
	case OP_LINK_RENAME:
	case OP_ALTNAME_DELETE:
	case OP_ALTNAME_ADD:
		detail_text(&context, operation->name);
		break;
	case OP_LINK_MAC:
		detail_text(&context, mac_format(&operation->mac, text));
		break;
	case OP_LINK_MTU:
		snprintf(context.detail, sizeof(context.detail), "%u", spec->mtu);
		break;
	case OP_LINK_MODE:
		detail_text(&context, link_mode_name(spec->mode));
		break;
	case OP_LINK_BCQUEUELEN:
		snprintf(context.detail, sizeof(context.detail), "%u", spec->bcqueuelen);
		break;
	case OP_SYSCTL_SET:
		detail_text(&context, operation->sysctl->key);
		break;
	case OP_ADDR_ADD:
	case OP_ADDR_DELETE:
		operation_prefix(&context, operation->addr);
		break;
	case OP_ROUTE_ADD:
	case OP_ROUTE_DELETE:
		operation_route(&context, operation->route);
		break;
	case OP_RULE_ADD:
	case OP_RULE_DELETE:
		policy_rule_format(operation->rule, context.detail);
		break;
	case OP_LINK_NEW:
	case OP_LINK_ALIAS:
	case OP_LINK_MOVE:
	case OP_LINK_DELETE:
	case OP_LINK_UP:
	case OP_LINK_DOWN:
	case OP_RESTORE:
	case OP_LEASE:
	case N_OPERATION_TYPES:
		break;
	}
	return context;
}
