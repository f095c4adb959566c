/* Networks and endpoints: a link for each container, which Docker moves. */
#include "cmd/attach/attach.h"
#include "cmd/attach/guests.h"
#include "cmd/docker_plugin/announcer.h"
#include "cmd/docker_plugin/calls.h"
#include "cmd/docker_plugin/declared.h"
#include "cmd/docker_plugin/link.h"
#include "cmd/exit.h"
#include "kernel/link_kind.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

static int ipam_check(const struct docker_call *call, struct error *error)
{
	for (size_t i = 0; i < call->n_data; i++)
		if (!call->data[i].address_space ||
		    strcmp(call->data[i].address_space, DOCKER_ADDRESS_SPACE) != 0) {
			error_set(error, EINVAL, "the network has another IPAM driver");
			error_hint(error, "add --ipam-driver mvapply");
			return error_code(error, CODE_DOCKER_IPAM);
		}
	return 0;
}

static const struct prefix no_subnet;

static int network_of_call(const struct docker_call *call, const struct desired *desired,
			   struct network_of_set *ret, struct error *error)
{
	if (call->network)
		return docker_network_named(desired, call->network, ret, error);
	return docker_network_of_subnet(desired, call->n_data ? &call->data[0].subnet : &no_subnet,
					ret, error);
}

/* Docker gave the pools to the network that the option of the IPAM driver names. */
static int subnets_check(const struct docker_call *call, const struct network *network,
			 struct error *error)
{
	for (size_t i = 0; i < call->n_data; i++) {
		const struct subnet *subnet = network_subnet_of(network, &call->data[i].subnet.ip);
		if (subnet && prefix_equal(&subnet->prefix, &call->data[i].subnet))
			continue;
		error_set(error, EINVAL, "the subnets are not those of network %s", network->name);
		error_hint(error, "write the same network after -o network= and --ipam-opt "
				  "network=");
		return error_code(error, CODE_DOCKER_SUBNET);
	}
	return 0;
}

json_t *docker_create_network(const struct docker_work *work, struct error *error)
{
	struct network_of_set where;
	struct desired *desired = docker_files_desired(work->files, error);
	int status = desired ? ipam_check(work->call, error) : -EINVAL;
	if (status == 0)
		status = network_of_call(work->call, desired, &where, error);
	if (status == 0)
		status = subnets_check(work->call, where.network, error);
	if (status == 0)
		state_network_add(work->state, work->call->network_id, where.set->name,
				  where.network->name);
	return status < 0 ? NULL : json_object();
}

json_t *docker_delete_network(const struct docker_work *work, struct error *error)
{
	(void)error;
	state_network_remove(work->state, work->call->network_id);
	return json_object();
}

static int network_find(const struct docker_work *work, const struct desired *desired,
			const char *set, const char *network, struct network_of_set *ret,
			struct error *error)
{
	return docker_network_named(desired, arena_printf(work->arena, "%s/%s", set, network), ret,
				    error);
}

/* The endpoint's address that stands for both. */
static const struct ip *address_of(const struct docker_call *call)
{
	return call->ipv4.family ? &call->ipv4 : &call->ipv6_address;
}

/* A network with a subnet that has the address. */
static int network_by_address(const struct desired *desired, const struct ip *ip,
			      struct network_of_set *ret, struct error *error)
{
	for (size_t s = 0; s < desired->n_sets; s++)
		for (size_t i = 0; i < desired->sets[s].n_networks; i++) {
			const struct subnet *subnet =
				network_subnet_of(&desired->sets[s].networks[i], ip);
			if (subnet)
				return docker_network_of_subnet(desired, &subnet->prefix, ret,
								error);
		}
	return docker_network_of_subnet(desired, &(struct prefix){*ip, 0}, ret, error);
}

/* The call names neither the network of the files nor the pool: Docker's network is known from its
 * creation, or else from the address that it was given, or else from the files. */
static int endpoint_network(const struct docker_work *work, const struct desired *desired,
			    struct network_of_set *ret, struct error *error)
{
	const struct docker_call *call = work->call;
	const struct ip *ip = address_of(call);
	const struct known_network *known = state_network(work->state, call->network_id);
	if (known)
		return network_find(work, desired, known->set, known->network, ret, error);
	const struct docker_reservation *reservation = state_reservation_of(work->state, ip);
	if (reservation)
		return network_find(work, desired, reservation->set, reservation->network, ret,
				    error);
	return network_by_address(desired, ip, ret, error);
}

struct made {
	struct mac mac;
	struct error *error;
};

static int made_report(void *data, const struct run *run, const struct attach_job *job)
{
	struct made *made = data;
	for (size_t i = 0; i < run->plan->n_steps; i++) {
		const struct step *step = &run->plan->steps[i];
		if (!containers_have(&job->containers, step) || !step->desired)
			continue;
		if (attach_step_error(run, step, made->error))
			return EXIT_FAILED;
		made->mac = step->desired->mac;
		return EXIT_CONVERGED;
	}
	error_set(made->error, ENODEV, "the link was not made");
	error_code(made->error, CODE_DOCKER_LINK);
	return EXIT_FAILED;
}

/* A guest's name is its address, as no call has the container's. */
static struct started started_of(const struct docker_work *work, const struct container *declared)
{
	char text[IP_TEXT_SIZE];
	const struct docker_call *call = work->call;
	const struct ip *ip = address_of(call);
	return (struct started){.kind = SOURCE_DOCKER,
				.source = declared ? declared->source : NULL,
				.name = arena_strdup(work->arena, ip_format(ip, text)),
				.key = endpoint_key(call->endpoint_id, work->arena),
				.netns = work->scratch,
				.interface = endpoint_link_name(call->endpoint_id, work->arena),
				.ipv4 = call->ipv4,
				.ipv6 = call->ipv6_address,
				.mac = call->mac};
}

static int container_attach(const struct docker_work *work, const struct attach_job *planned,
			    struct mac *ret_mac, struct error *error)
{
	struct options options = *work->options;
	struct made made = {.error = error};
	struct attach_job job = *planned;
	options.quiet = true;
	job.options = &options;
	job.handed_over = true;
	job.lookups = lookups_new(NULL, NULL, NULL);
	const int status = attach_run(&job, made_report, &made, error);
	lookups_free(job.lookups);
	*ret_mac = made.mac;
	return status == EXIT_FAILED ? -EINVAL : status;
}

static int link_make(const struct docker_work *work, const struct desired *desired,
		     struct mac *ret_mac, struct error *error)
{
	struct network_of_set where;
	struct attach_job job = {.desired = NULL};
	int status = endpoint_network(work, desired, &where, error);
	if (status < 0)
		return status;
	const struct container *declared = docker_declared(&where, address_of(work->call));
	if (declared && (status = docker_declared_check(&where, declared, error)) < 0)
		return status;
	const struct started started = started_of(work, declared);
	job.desired = started_add(desired, &where, &started, work->arena, &job.containers, error);
	return job.desired ? container_attach(work, &job, ret_mac, error) : -EINVAL;
}

static bool is_of_endpoint(const void *data, const struct owner_tag *tag)
{
	return guest_key_is(tag, data);
}

/* Docker gives the link back before it deletes the endpoint, unless that failed. */
static int link_delete(const struct docker_work *work, struct error *error)
{
	struct live_link link;
	const char *endpoint = work->call->endpoint_id;
	const char *name = endpoint_link_name(endpoint, work->arena);
	const int status = endpoint_link_find(name, work->arena, &link, error);
	if (status == 0 && role_in_container(link.tag.role))
		return endpoint_link_delete(&link, error);
	return status == 0 || status == -ENODEV
		       ? guests_delete(is_of_endpoint, endpoint_key(endpoint, work->arena), NULL,
				       error)
		       : status;
}

static int endpoint_delete(const struct docker_work *work, struct error *error)
{
	struct apply_lock lock;
	int status = apply_lock(&lock, NULL, error);
	if (status < 0)
		return status;
	status = link_delete(work, error);
	apply_unlock(&lock);
	return status;
}

/* A call is repeated if the plugin was killed before its answer: the link may exist. */
static int endpoint_make(const struct docker_work *work, const struct desired *desired,
			 struct mac *ret_mac, struct error *error)
{
	struct live_link link;
	const char *name = endpoint_link_name(work->call->endpoint_id, work->arena);
	int status = endpoint_link_find(name, work->arena, &link, error);
	status = status == -ENODEV ? 0 : status == 0 ? endpoint_delete(work, error) : status;
	return status < 0 ? status : link_make(work, desired, ret_mac, error);
}

/* Docker refuses an answer that repeats what it gave. */
json_t *docker_create_endpoint(const struct docker_work *work, struct error *error)
{
	struct mac mac = {.set = false};
	char text[MAC_TEXT_SIZE];
	struct desired *desired = docker_files_desired(work->files, error);
	const int status = desired ? endpoint_make(work, desired, &mac, error) : -EINVAL;
	if (status < 0) {
		struct error ignored;
		(void)endpoint_delete(work, &ignored);
		return NULL;
	}
	if (!mac.set || work->call->mac.set)
		return json_pack("{s:{}}", "Interface");
	return json_pack("{s:{s:s}}", "Interface", "MacAddress", mac_format(&mac, text));
}

json_t *docker_delete_endpoint(const struct docker_work *work, struct error *error)
{
	return endpoint_delete(work, error) < 0 ? NULL : json_object();
}

/* The link of a declared container has its name, and that of a guest the address. */
static void endpoint_recover(const struct docker_work *work, const struct network_of_set *where,
			     const struct owner_tag *tag, struct known_endpoint *ret)
{
	for (size_t i = 0; tag->role == ROLE_ATTACH && i < where->set->n_containers; i++) {
		const struct container *container = &where->set->containers[i];
		const struct attachment *attachment =
			container_attachment(container, where->network);
		if (attachment && strcmp(container->name, tag->container) == 0) {
			ret->ipv4 = *attachment_address(attachment, AF_INET);
			ret->ipv6 = *attachment_address(attachment, AF_INET6);
		}
	}
	if (tag->role == ROLE_GUEST)
		(void)ip_parse(owner_tag_guest(work->arena, tag).name, &ret->ipv4);
}

/* A restarted plugin has not seen the creation. */
static struct known_endpoint endpoint_of(const struct docker_work *work,
					 const struct network_of_set *where,
					 const struct owner_tag *tag)
{
	const struct known_endpoint *known = state_endpoint(work->state, work->call->endpoint_id);
	struct known_endpoint endpoint = {0};
	if (known)
		return *known;
	endpoint_recover(work, where, tag, &endpoint);
	return endpoint;
}

/* libnetwork's route types. */
enum { ROUTE_NEXT_HOP, ROUTE_CONNECTED };

static void route_add(json_t *routes, const struct prefix *to, const struct ip *via)
{
	char text[PREFIX_TEXT_SIZE], next[IP_TEXT_SIZE];
	json_t *route = json_pack("{s:s, s:i}", "Destination", prefix_format(to, text), "RouteType",
				  via->family ? ROUTE_NEXT_HOP : ROUTE_CONNECTED);
	if (via->family)
		json_object_set_new(route, "NextHop", json_string(ip_format(via, next)));
	json_array_append_new(routes, route);
}

/* Docker knows a destination and a next hop; watch, or the next apply, adds the others. */
static bool docker_knows(const struct route *route)
{
	const struct route_options *options = &route->options;
	return !route->table && !options->on_link && !options->source.family && !options->scope &&
	       !options->metric && !options->mtu && !options->advmss && !options->type;
}

/* `own`: the attachment, whose routes replace those of its network; or NULL. */
static void routes_add(json_t *list, const struct route *routes, size_t count,
		       const struct attachment *own)
{
	for (size_t i = 0; i < count; i++)
		if (docker_knows(&routes[i]) && !(own && attachment_has_route(own, &routes[i])))
			route_add(list, &routes[i].to, &routes[i].via);
}

/* Docker's default route needs one to a gateway that is in no subnet. */
static void gateway_reach(const struct network *network, json_t *list, const struct ip *gateway)
{
	if (gateway && !network_subnet_of(network, gateway) && !ip_is_link_local(gateway))
		route_add(list, &(struct prefix){.ip = *gateway, .len = (uint8_t)ip_bits(gateway)},
			  &(struct ip){0});
}

static json_t *routes_of(const struct network_of_set *where, const struct container *declared,
			 const struct ip *ipv4, const struct ip *ipv6)
{
	json_t *list = json_array();
	const struct attachment *attachment =
		declared ? container_attachment(declared, where->network) : NULL;
	gateway_reach(where->network, list, ipv4);
	gateway_reach(where->network, list, ipv6);
	routes_add(list, where->network->routes, where->network->n_routes, attachment);
	if (attachment)
		routes_add(list, attachment->routes, attachment->n_routes, NULL);
	return list;
}

static json_t *join_answer(const struct network_of_set *where,
			   const struct known_endpoint *endpoint, const char *name)
{
	char text[IP_TEXT_SIZE];
	const struct ip *ip = endpoint->ipv4.family ? &endpoint->ipv4 : &endpoint->ipv6;
	const struct ip *ipv4 = network_gateway(where->network, &endpoint->ipv4),
			*ipv6 = network_gateway(where->network, &endpoint->ipv6);
	json_t *answer = json_pack("{s:{s:s, s:s}, s:o, s:b}", "InterfaceName", "SrcName", name,
				   "DstPrefix", "eth", "StaticRoutes",
				   routes_of(where, docker_declared(where, ip), ipv4, ipv6),
				   "DisableGatewayService", !ipv4 && !ipv6);
	if (ipv4)
		json_object_set_new(answer, "Gateway", json_string(ip_format(ipv4, text)));
	if (ipv6)
		json_object_set_new(answer, "GatewayIPv6", json_string(ip_format(ipv6, text)));
	return answer;
}

/* An ipvlan that routes has no neighbours. */
static void announcer_set(const struct docker_work *work, const struct live_link *link,
			  const struct known_endpoint *endpoint)
{
	struct announcer *announcer = work->announcer;
	if (!work->call->sandbox || link_mode_routes(link->mode))
		return;
	announcer->ifindex = link->ifindex;
	announcer->alias = link->alias;
	announcer->sandbox = work->call->sandbox;
	announcer->ips[0] = endpoint->ipv4;
	announcer->ips[1] = endpoint->ipv6;
}

static json_t *endpoint_join(const struct docker_work *work, const struct desired *desired,
			     const struct live_link *link, struct error *error)
{
	struct network_of_set where;
	if (network_find(work, desired, link->tag.set, link->tag.network, &where, error) < 0)
		return NULL;
	const struct known_endpoint endpoint = endpoint_of(work, &where, &link->tag);
	const struct ip *ip = endpoint.ipv4.family ? &endpoint.ipv4 : &endpoint.ipv6;
	if (docker_name_check(work, &where, ip, error) < 0)
		return NULL;
	announcer_set(work, link, &endpoint);
	return join_answer(&where, &endpoint, link->name);
}

static int link_gone(const char *name, struct error *error)
{
	error_set(error, ENODEV, "the link %s is gone", name);
	error_hint(error, "start the container again");
	return error_code(error, CODE_DOCKER_LINK);
}

json_t *docker_join(const struct docker_work *work, struct error *error)
{
	struct live_link link;
	const char *name = endpoint_link_name(work->call->endpoint_id, work->arena);
	announcer_listen(work->announcer);
	const int status = endpoint_link_find(name, work->arena, &link, error);
	if (status < 0 || !role_in_container(link.tag.role)) {
		link_gone(name, error);
		return NULL;
	}
	struct desired *desired = docker_files_desired(work->files, error);
	json_t *answer = desired ? endpoint_join(work, desired, &link, error) : NULL;
	return answer;
}
