#include "cmd/status/status.h"
#include "cmd/terminal.h"

#include "cmd/commands.h"
#include "cmd/exit.h"
#include "cmd/incomplete.h"
#include "cmd/input.h"
#include "cmd/output.h"
#include "cmd/output_json.h"
#include "cmd/output_text.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

bool status_not_live(const struct step *step)
{
	return !step->current && step->tag->role != ROLE_VLAN && step->tag->role != ROLE_DUMMY;
}

const char *status_state(const struct status_model_link *link)
{
	if (link->guest)
		return "guest";
	if (!link->step)
		return "live";
	switch (link->step->action) {
	case ACTION_CHANGE:
	case ACTION_REPLACE:
	case ACTION_CREATE:
		return "drifted";
	case ACTION_DELETE:
		return "undeclared";
	case ACTION_KEPT:
	case ACTION_PENDING:
	case ACTION_BLOCKED:
	case ACTION_REFUSED:
		break;
	}
	return action_name(link->step->action);
}

static json_t *json_network(const struct status_model_network *network)
{
	char text[PREFIX_TEXT_SIZE];
	json_t *subnets = json_array();
	for (size_t i = 0; i < network->n_subnets; i++) {
		const struct subnet *subnet = &network->subnets[i];
		json_t *object = json_object();
		json_put(object, "subnet", json_string(prefix_format(&subnet->prefix, text)));
		json_put(object, "gateway",
			 json_text(subnet->gateway.family ? ip_format(&subnet->gateway, text)
							  : NULL));
		json_push(subnets, object);
	}
	json_t *object = json_pack("{s:s, s:s, s:s, s:s, s:o, s:o}", "set", network->set, "name",
				   network->name, "driver", network->driver, "mode", network->mode,
				   "parent", json_text(network->parent), "subnets", subnets);
	if (network->dhcp)
		json_put(object, "dhcp", json_true());
	if (network->accept_ra)
		json_put(object, "accept_ra", json_true());
	return object;
}

static json_t *json_lease(const struct live_addr *lease, bool times)
{
	return times ? json_pack("{s:I, s:I}", "ends_in", (json_int_t)lease->valid, "renewed_in",
				 (json_int_t)lease->preferred)
		     : json_object();
}

static json_t *json_addresses(const struct status_model_link *link, bool times)
{
	char text[IP_TEXT_SIZE];
	json_t *list = json_array();
	for (size_t i = 0; i < link->n_addrs; i++) {
		const struct prefix *prefix = &link->addrs[i]->prefix;
		json_t *address = json_pack("{s:s, s:i}", "address", ip_format(&prefix->ip, text),
					    "prefix_len", (int)prefix->len);
		if (link->addrs[i] == link->lease)
			json_put(address, "lease", json_lease(link->lease, times));
		if (live_addr_autoconf(link->addrs[i]))
			json_put(address, "router_advertisement", json_true());
		json_push(list, address);
	}
	return list;
}

static json_t *json_gateway(const struct ip *gateway)
{
	char text[IP_TEXT_SIZE];
	return json_text(gateway->family ? ip_format(gateway, text) : NULL);
}

static json_t *json_link(const struct status_model_link *link, bool times)
{
	char mac[MAC_TEXT_SIZE];
	const struct owner_tag *tag = &link->link->tag;
	json_t *object = json_pack(
		"{s:s, s:s, s:o, s:o, s:s, s:o, s:o, s:i, s:o, s:i, s:s, s:b}", "set", tag->set,
		"network", tag->network, "container", json_text(link->container), "attachment",
		json_text(owner_tag_attachment(tag)), "state", status_state(link), "namespace",
		json_text(link->ns->name), "interface_name", json_text(link->link->name), "ifindex",
		link->link->ifindex, "parent", json_text(link->parent), "mtu", (int)link->link->mtu,
		"mac_address", mac_format(&link->link->mac, mac), "up",
		(link->link->flags & IFF_UP) != 0);
	json_put(object, "addresses", json_addresses(link, times));
	json_put(object, "gateway", json_gateway(&link->gateways[0]));
	json_put(object, "ipv6_gateway", json_gateway(&link->gateways[1]));
	if (link->guest)
		json_put(object, "attached_by", json_text(link->guest));
	if (link->step)
		json_put(object, "step", json_step(link->step, NULL));
	return object;
}

static json_t *json_parent(const struct status_model_parent *parent)
{
	const struct live_link *link = parent->link;
	json_t *object = json_pack("{s:o, s:o, s:i}", "name", json_text(link->name), "kind",
				   json_text(link->kind_name), "ifindex", link->ifindex);
	if (link->kind == KIND_VLAN)
		json_put(object, "vlan", json_integer(link->vlan));
	json_put(object, "parent", json_text(parent->base));
	return object;
}

json_t *status_json(const struct status_model *model, const struct run *run, bool times)
{
	json_t *networks = json_array(), *attachments = json_array(), *hosts = json_array();
	json_t *parents = json_array(), *missing = json_array();
	for (size_t i = 0; i < model->n_networks; i++)
		json_push(networks, json_network(&model->networks[i]));
	for (size_t i = 0; i < model->n_links; i++)
		json_push(model->links[i].container ? attachments : hosts,
			  json_link(&model->links[i], times));
	for (size_t i = 0; i < model->n_parents; i++)
		json_push(parents, json_parent(&model->parents[i]));
	for (size_t i = 0; i < run->plan->n_steps; i++)
		if (status_not_live(&run->plan->steps[i]))
			json_push(missing, json_step(&run->plan->steps[i], NULL));
	json_t *document = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "networks", networks,
				     "attachments", attachments, "hosts", hosts, "links", parents,
				     "missing", missing, "warnings", json_warnings(run->plan));
	incomplete_json(document, run->live);
	return document;
}

/* "lab:", or nothing for the default set. */
static const char *set_text(const char *set, char text[NAME_LENGTH_MAX + 2])
{
	snprintf(text, NAME_LENGTH_MAX + 2, "%s:", set);
	return strcmp(set, "default") == 0 ? "" : text;
}

static const char *subnet_text(struct arena *arena, const struct subnet *subnet)
{
	char prefix[PREFIX_TEXT_SIZE], gateway[IP_TEXT_SIZE];
	const char *text = arena_printf(arena, ", %s", prefix_format(&subnet->prefix, prefix));
	return subnet->gateway.family ? arena_printf(arena, "%s gateway %s", text,
						     ip_format(&subnet->gateway, gateway))
				      : text;
}

static void text_network(const struct status_model_network *network)
{
	__attribute__((cleanup(arena_cleanup))) struct arena *arena = arena_new();
	char set[NAME_LENGTH_MAX + 2];
	const char *text =
		arena_printf(arena, "%s%s  %s %s on %s%s", set_text(network->set, set),
			     network->name, network->driver, network->mode,
			     network->parent ? network->parent : "a dummy link of its own",
			     network->dhcp ? ", DHCP" : "");
	for (size_t i = 0; i < network->n_subnets; i++)
		text = arena_printf(arena, "%s%s", text, subnet_text(arena, &network->subnets[i]));
	puts(terminal_wrap(arena, stdout, "network   ", 10, text));
}

/* The table contains the reasons of the others. */
#define SHOWN (TEXT_ALL & ~(1U << ACTION_KEPT | 1U << ACTION_PENDING))

static void text_differences(const struct plan *plan, const struct desired *desired,
			     const struct options *options)
{
	const struct text text = text_new(options, stdout, desired->n_sets);
	bool any = false;
	for (size_t i = 0; i < plan->n_steps; i++)
		any |= SHOWN >> plan->steps[i].action & 1;
	fputs(any ? "\nDiffers from the files:\n" : "", stdout);
	text_plan(&text, plan, NULL, SHOWN);
}

static void text_status_model(const struct status_model *model, const struct run *run,
			      const struct desired *desired, const struct options *options)
{
	const struct status_style style = {.color = text_new(options, stdout, 1).color,
					   .times = true};
	text_warnings(run->plan, run->live);
	for (size_t i = 0; options->verbose && i < model->n_networks; i++)
		text_network(&model->networks[i]);
	if (model->n_links || model->n_parents || run->plan->n_steps)
		status_table(stdout, model, run->plan, &style);
	else if (live_complete(run->live))
		puts("mvapply manages no link on this host.");
	text_differences(run->plan, desired, options);
}

/* Without files there is no desired state: all live links are shown. */
static struct desired *read_or_empty(const struct options *options)
{
	if (options->n_files)
		return input_read(options);
	struct arena *arena = arena_new();
	struct desired *desired = arena_alloc(arena, sizeof(*desired));
	desired->arena = arena;
	return desired;
}

int status_code(const struct run *run, const struct options *options, struct error *fault)
{
	const bool differs = options->exit_differs && run->plan->n_steps > 0;
	return incomplete_exit(run->live, differs ? EXIT_DIFFERS : EXIT_CONVERGED, fault);
}

static int status_once(const struct options *options, const struct desired *desired)
{
	struct run run;
	struct error error;
	if (run_observe(&run, desired, options, &error) < 0)
		return run_error(&error, options);
	struct status_model model = status_model_make(desired, run.live, run.plan);
	error = (struct error){0};
	int code = status_code(&run, options, &error);
	if (options->output == OUTPUT_JSON)
		json_finish(status_json(&model, &run, true), code);
	else if (!options->quiet)
		text_status_model(&model, &run, desired, options);
	if (error.code && options->output != OUTPUT_JSON)
		text_error(&error);
	status_model_free(&model);
	run_free(&run);
	return code;
}

int command_status(const struct options *options)
{
	struct desired *desired = read_or_empty(options);
	if (!desired)
		return EXIT_USAGE;
	int code = options->watch_seconds ? status_watch(options, desired)
					  : status_once(options, desired);
	desired_free(desired);
	return code;
}
