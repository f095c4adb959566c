#include "cmd/output_json.h"

#include "cmd/exit.h"
#include "cmd/incomplete.h"
#include "cmd/output_text.h"
#include "kernel/link_kind.h"
#include "lib/escape.h"
#include "schema/source_text.h"
#include "schema/words.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char *const action_names[] = {
	[ACTION_CREATE] = "create",   [ACTION_CHANGE] = "change",   [ACTION_REPLACE] = "replace",
	[ACTION_DELETE] = "delete",   [ACTION_KEPT] = "kept",       [ACTION_PENDING] = "pending",
	[ACTION_BLOCKED] = "blocked", [ACTION_REFUSED] = "refused",
};

enum { N_ACTIONS = sizeof(action_names) / sizeof(action_names[0]) };

const char *action_name(enum action action)
{
	return action_names[action];
}

json_t *json_code(enum code code)
{
	char text[CODE_TEXT_SIZE];
	return json_text(code ? code_format(code, text) : NULL);
}

/* A finding about a file. */
static json_t *json_name(const char *bytes)
{
	__attribute__((cleanup(arena_cleanup))) struct arena *arena = arena_new();
	return json_text(escape(arena, bytes, strlen(bytes)));
}

static json_t *json_diag(const struct diag *diag)
{
	return json_pack("{s:o, s:o, s:i, s:i, s:o, s:o}", "code", json_code(diag->code), "file",
			 json_name(diag->place.file), "line", (int)diag->place.line, "column",
			 (int)diag->place.column, "message", json_text(diag->text), "hint",
			 json_text(diag->hint));
}

json_t *json_diags(const struct diags *diags)
{
	json_t *list = json_array();
	for (size_t i = 0; i < diags->count; i++)
		json_push(list, json_diag(&diags->items[i]));
	return json_pack("{s:o, s:i}", "errors", list, "omitted", (int)diags->omitted);
}

json_t *json_errors(const struct error *error)
{
	if (!error->code)
		return json_array();
	struct error reported = *error; /* a word of the command line or a path may not be UTF-8 */
	text_make_printable(reported.text);
	text_make_printable(reported.hint);
	return json_pack("[{s:o, s:o, s:o}]", "code", json_code(reported.code), "message",
			 json_text(reported.text), "hint",
			 json_text(*reported.hint ? reported.hint : NULL));
}

json_t *json_error(const struct error *error)
{
	return json_pack("{s:o}", "errors", json_errors(error));
}

static void json_number(json_t *object, const char *key, uint32_t number)
{
	if (number)
		json_put(object, key, json_integer(number));
}

static void json_route_options(json_t *object, const struct route_options *options)
{
	char source[IP_TEXT_SIZE];
	if (options->type)
		json_put(object, "type", json_string(route_type_name(options->type)));
	if (options->source.family)
		json_put(object, "source", json_string(ip_format(&options->source, source)));
	if (options->on_link)
		json_put(object, "on_link", json_true());
	if (options->scope)
		json_put(object, "scope", json_string(route_scope_name(options->scope)));
	json_number(object, "metric", options->metric);
	json_number(object, "mtu", options->mtu);
	json_number(object, "advmss", options->advmss);
}

static json_t *json_route(const struct link_route *route)
{
	char to[PREFIX_TEXT_SIZE], via[IP_TEXT_SIZE];
	json_t *object = json_pack(
		"{s:s, s:o}", "to", route->to.len ? prefix_format(&route->to, to) : "default",
		"via", json_text(route->via.family ? ip_format(&route->via, via) : NULL));
	json_number(object, "table", route->table);
	json_route_options(object, &route->options);
	if (route->replaces)
		json_put(object, "replaces", json_true());
	return object;
}

/* Rules as ip(8) shows them, and routes by links of other programs or of a type that leads nowhere.
 */
static json_t *json_policy(const struct live_ns *ns, const struct policy *policy)
{
	char text[POLICY_RULE_TEXT_SIZE];
	json_t *routes = json_array(), *rules = json_array();
	for (size_t i = 0; i < policy->n_routes; i++) {
		const struct live_link *link = live_link_by_index(ns, policy->routes[i].device);
		json_t *route = json_route(&policy->routes[i]);
		json_put(route, "dev", json_text(link ? link->name : NULL));
		json_push(routes, route);
	}
	for (size_t i = 0; i < policy->n_rules; i++)
		json_push(rules, json_string(policy_rule_format(&policy->rules[i], text)));
	return json_pack("{s:o, s:o}", "routes", routes, "rules", rules);
}

static json_t *json_sysctls(const struct link_spec *desired)
{
	json_t *sysctls = json_object();
	for (size_t i = 0; i < desired->n_sysctls; i++)
		json_put(sysctls, desired->sysctls[i].key, json_text(desired->sysctls[i].value));
	return sysctls;
}

static void settings_add(json_t *object, const struct link_spec *desired)
{
	json_t *altnames = desired->has_altnames ? json_array() : NULL;
	if (desired->promisc)
		json_put(object, "promisc", json_true());
	if (desired->allmulticast)
		json_put(object, "allmulticast", json_true());
	if (desired->has_txqueuelen)
		json_put(object, "txqueuelen", json_integer(desired->txqueuelen));
	for (size_t i = 0; i < desired->n_altnames; i++)
		json_push(altnames, json_text(desired->altnames[i]));
	if (altnames)
		json_put(object, "altnames", altnames);
}

static void kind_add(json_t *object, const struct link_spec *desired)
{
	json_put(object, "driver", json_string(link_kind_name(desired->kind)));
	json_put(object, "mark", json_text(desired->alias));
	if (link_type(desired->kind)->has_driver)
		json_put(object, "mode", json_string(link_mode_name(desired->mode)));
	if (desired->has_bcqueuelen)
		json_put(object, "bcqueuelen", json_integer(desired->bcqueuelen));
	if (desired->has_bclim)
		json_put(object, "bclim", json_integer(desired->bclim));
	if (desired->ipvlan_flag != IPVLAN_BRIDGE)
		json_put(object, "ipvlan_flag",
			 json_string(ipvlan_flag_name(desired->ipvlan_flag)));
	settings_add(object, desired);
	if (desired->vlan)
		json_put(object, "vlan", json_integer(desired->vlan));
	if (desired->vlan)
		json_put(object, "vlan_protocol",
			 json_string(vlan_protocol_name(desired->vlan_protocol)));
}

/* Of the kernel's routes to the subnets, where they differ from its default. */
static json_t *json_subnet_metrics(const struct link_spec *desired)
{
	json_t *metrics = NULL;
	char text[PREFIX_TEXT_SIZE];
	for (size_t i = 0; i < desired->n_addrs; i++) {
		const struct prefix *addr = &desired->addrs[i];
		const struct prefix subnet = prefix_subnet(addr);
		const uint32_t metric = link_spec_addr_terms(desired, addr).metric;
		if (!metric)
			continue;
		metrics = metrics ? metrics : json_object();
		json_put(metrics, prefix_format(&subnet, text), json_integer(metric));
	}
	return metrics;
}

static void link_add(json_t *object, const struct link_spec *desired)
{
	char text[PREFIX_TEXT_SIZE];
	json_t *addresses = json_array(), *routes = json_array();
	kind_add(object, desired);
	for (size_t i = 0; i < desired->n_addrs; i++)
		json_push(addresses, json_string(prefix_format(&desired->addrs[i], text)));
	for (size_t i = 0; i < desired->n_routes; i++)
		json_push(routes, json_route(&desired->routes[i]));
	json_put(object, "addresses", addresses);
	json_t *metrics = json_subnet_metrics(desired);
	if (metrics)
		json_put(object, "subnet_metrics", metrics);
	if (desired->dhcp.enabled)
		json_put(object, "dhcp", json_true());
	if (desired->tag.resolv_conf)
		json_put(object, "resolv_conf", json_string(desired->tag.resolv_conf));
	if (desired->accept_ra)
		json_put(object, "accept_ra", json_true());
	json_put(object, "routes", routes);
	if (!policy_empty(&desired->policy))
		json_put(object, "policy_routing", json_policy(desired->ns, &desired->policy));
	json_put(object, "mac_address",
		 json_text(desired->mac.set ? mac_format(&desired->mac, text) : NULL));
	json_put(object, "mtu", desired->mtu ? json_integer(desired->mtu) : json_null());
	json_put(object, "sysctls", json_sysctls(desired));
	json_put(object, "parent", json_text(desired->parent_name));
	if (desired->vrf_name)
		json_put(object, "vrf", json_text(desired->vrf_name));
}

static json_t *json_changes(const struct step *step)
{
	json_t *list = json_array();
	for (size_t i = 0; i < step->n_changes; i++) {
		const struct change *change = &step->changes[i];
		const char *key = change->field == FIELD_SYSCTL ? change->sysctl.key
								: field_name(change->field);
		json_push(list, json_pack("{s:s, s:o, s:o}", "field", key, "from",
					  json_text(change->from), "to", json_text(change->to)));
	}
	return list;
}

static void outcome_add(json_t *object, const struct outcome *outcome)
{
	static const char *const states[] = {[OUTCOME_NOT_DONE] = "not done",
					     [OUTCOME_DONE] = "done",
					     [OUTCOME_FAILED] = "failed",
					     [OUTCOME_DEFERRED] = "not done"};
	json_put(object, "outcome", json_string(states[outcome->state]));
	if (outcome->note)
		json_put(object, "note", json_text(outcome->note));
	if (outcome->state != OUTCOME_FAILED)
		return;
	json_put(object, "code", json_code(outcome->error->code));
	json_put(object, "error", json_text(outcome->error->text));
	json_put(object, "hint", json_text(*outcome->error->hint ? outcome->error->hint : NULL));
}

json_t *json_step(const struct step *step, const struct outcome *outcome)
{
	json_t *object = json_pack(
		"{s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "action", action_name(step->action),
		"object", step_noun(step), "set", json_text(step->set), "network",
		json_text(step->tag->network), "container", json_text(step->tag->container),
		"attachment", json_text(owner_tag_attachment(step->tag)), "name",
		json_text(step->name), "namespace", json_text(step->ns ? step->ns->name : NULL));
	if (step->desired && step->action != ACTION_PENDING)
		link_add(object, step->desired);
	if (step->n_changes)
		json_put(object, "changes", json_changes(step));
	if (step->code)
		json_put(object, "code", json_code(step->code));
	if (step->reason || step->faster)
		json_put(object, "reason", json_text(step->reason ? step->reason : STEP_FASTER));
	if (step->hint)
		json_put(object, "hint", json_text(step->hint));
	if (outcome)
		outcome_add(object, outcome);
	return object;
}

json_t *json_steps(const struct plan *plan, const struct outcome *outcomes)
{
	json_t *steps = json_array();
	for (size_t i = 0; i < plan->n_steps; i++)
		json_push(steps, json_step(&plan->steps[i], outcomes ? &outcomes[i] : NULL));
	return steps;
}

json_t *json_steps_done(const struct plan *plan, const struct outcome *outcomes)
{
	json_t *steps = json_array();
	for (size_t i = 0; outcomes && i < plan->n_steps; i++)
		if (outcomes[i].state == OUTCOME_DONE)
			json_push(steps, json_step(&plan->steps[i], &outcomes[i]));
	return steps;
}

void json_plan_precede(json_t *document, json_t *steps)
{
	json_t *summary = json_object_get(document, "summary"), *step;
	json_t *all = json_copy(steps);
	size_t i;
	json_array_foreach(steps, i, step)
	{
		const char *action = json_string_value(json_object_get(step, "action"));
		const json_t *count = json_object_get(summary, action);
		json_put(summary, action, json_integer(json_integer_value(count) + 1));
	}
	json_array_extend(all, json_object_get(document, "steps"));
	json_put(document, "steps", all);
}

json_t *json_warnings(const struct plan *plan)
{
	__attribute__((cleanup(arena_cleanup))) struct arena *arena = arena_new();
	return json_sentences(warnings_text(plan->warnings, plan->n_warnings, arena),
			      plan->n_warnings);
}

json_t *json_plan(const struct plan *plan, const struct live *live, const struct outcome *outcomes)
{
	json_t *steps = json_steps(plan, outcomes), *summary = json_object();
	for (size_t action = 0; action < N_ACTIONS; action++)
		json_put(summary, action_names[action],
			 json_integer((json_int_t)plan_count(plan, (enum action)action)));
	json_t *document = json_pack("{s:o, s:o, s:o}", "steps", steps, "summary", summary,
				     "warnings", json_warnings(plan));
	incomplete_json(document, live);
	if (plan->guard.refused)
		json_put(document, "guard",
			 json_pack("{s:o, s:s, s:i, s:i}", "code", json_code(CODE_GUARD), "set",
				   plan->guard.set, "live", (int)plan->guard.live, "deletes",
				   (int)plan->guard.deletes));
	return document;
}

/* Reports that a value is missing (json_whole); returns the exit code. */
static int json_lacking(void)
{
	struct error error;
	error_set(&error, EILSEQ, "part of the output cannot be written as JSON");
	error_code(&error, CODE_JSON);
	text_error(&error);
	return EXIT_FAILED;
}

json_t *json_versioned(json_t *document)
{
	json_t *versioned = json_object();
	json_put(versioned, "version", json_integer(JSON_FORMAT_VERSION));
	for (void *member = json_object_iter(document); member;
	     member = json_object_iter_next(document, member))
		json_put(versioned, json_object_iter_key(member),
			 json_incref(json_object_iter_value(member)));
	json_decref(document);
	return versioned;
}

int json_finish(json_t *document, int exit_code)
{
	json_put(document, "exit_code", json_integer(exit_code));
	document = json_versioned(document);
	if (!json_whole())
		exit_code = json_lacking();
	else if (json_write(document, stdout, JSON_INDENT(2)) == 0)
		fputc('\n', stdout);
	json_decref(document);
	return exit_code;
}
