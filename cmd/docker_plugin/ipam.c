/* Addresses: those of the files, and of the live kernel. */
#include "cmd/attach/attach.h"
#include "cmd/docker_plugin/calls.h"
#include "cmd/docker_plugin/gateway.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

static struct subnet *subnet_equal(const struct network *network, const struct prefix *prefix)
{
	for (size_t i = 0; i < network->n_subnets; i++)
		if (prefix_equal(&network->subnets[i].prefix, prefix))
			return &network->subnets[i];
	return NULL;
}

/* The subnet of a new pool: the one of the call, or the first of its family. */
static const struct subnet *subnet_of_call(const struct network *network,
					   const struct docker_call *call)
{
	const unsigned family = call->ipv6 ? AF_INET6 : AF_INET;
	if (call->subnet.ip.family)
		return subnet_equal(network, &call->subnet);
	for (size_t i = 0; i < network->n_subnets; i++)
		if (network->subnets[i].prefix.ip.family == family)
			return &network->subnets[i];
	return NULL;
}

static void network_unclear(size_t found, struct error *error)
{
	error_set(error, ENOENT, "%s",
		  found ? "several networks of the files fit"
			: "the files declare no network with this subnet");
	error_hint(error, "name the network: -o network=NAME --ipam-opt network=NAME");
	error_code(error, CODE_DOCKER_NETWORK);
}

int docker_network_of_subnet(const struct desired *desired, const struct prefix *subnet,
			     struct network_of_set *ret, struct error *error)
{
	size_t found = 0;
	for (size_t s = 0; s < desired->n_sets; s++)
		for (size_t i = 0; i < desired->sets[s].n_networks; i++) {
			const struct network *network = &desired->sets[s].networks[i];
			if (subnet->ip.family && !subnet_equal(network, subnet))
				continue;
			*ret = (struct network_of_set){&desired->sets[s], network};
			found++;
		}
	if (found == 1)
		return 0;
	network_unclear(found, error);
	return -ENOENT;
}

int docker_network_named(const struct desired *desired, const char *name,
			 struct network_of_set *ret, struct error *error)
{
	if (network_of_name(desired, name, ret, error) == 0)
		return 0;
	error_hint(error, "write a network of the files after -o network= and --ipam-opt "
			  "network=, as NETWORK or SET/NETWORK");
	return error_code(error, CODE_DOCKER_NETWORK);
}

static int pool_network(const struct docker_work *work, const struct desired *desired,
			struct network_of_set *ret, struct error *error)
{
	const struct docker_call *call = work->call;
	return call->network ? docker_network_named(desired, call->network, ret, error)
			     : docker_network_of_subnet(desired, &call->subnet, ret, error);
}

static int dhcp_refused(const struct network *network, struct error *error)
{
	error_set(error, EINVAL, "network %s uses DHCP, whose addresses Docker cannot show",
		  network->name);
	error_hint(error, "remove `dhcp` from the network, or run its containers with --network "
			  "none and declare them with `docker:`");
	return error_code(error, CODE_DOCKER_NETWORK);
}

/* Returns the id of the pool and its subnet. */
static json_t *pool_answer(const struct docker_work *work, const struct network_of_set *where,
			   struct error *error)
{
	char text[PREFIX_TEXT_SIZE];
	const struct subnet *subnet = subnet_of_call(where->network, work->call);
	if (where->network->dhcp) {
		dhcp_refused(where->network, error);
		return NULL;
	}
	if (!subnet) {
		error_set(error, EINVAL, "network %s has %s", where->network->name,
			  work->call->subnet.ip.family ? "another subnet"
						       : "no subnet of this family");
		error_hint(error, "leave --subnet out, or write the one of the files");
		error_code(error, CODE_DOCKER_SUBNET);
		return NULL;
	}
	const struct docker_pool pool = {where->set->name, where->network->name, subnet->prefix};
	return json_pack("{s:s, s:s, s:{}}", "PoolID", docker_pool_id(&pool, work->arena), "Pool",
			 prefix_format(&subnet->prefix, text), "Data");
}

json_t *docker_request_pool(const struct docker_work *work, struct error *error)
{
	struct network_of_set where;
	struct desired *desired = docker_files_desired(work->files, error);
	json_t *answer = NULL;
	if (desired && pool_network(work, desired, &where, error) == 0)
		answer = pool_answer(work, &where, error);
	return answer;
}

/* The network and subnet of the pool in the call. */
static int pool_find(const struct docker_work *work, const struct desired *desired,
		     struct network_of_set *ret, struct subnet **ret_subnet, struct error *error)
{
	const struct docker_pool *pool = &work->call->pool;
	const char *name = arena_printf(work->arena, "%s/%s", pool->set, pool->network);
	const int status = docker_network_named(desired, name, ret, error);
	if (status < 0)
		return status;
	*ret_subnet = subnet_equal(ret->network, &pool->subnet);
	if (*ret_subnet)
		return 0;
	error_set(error, EINVAL, "network %s has another subnet in the files now", name);
	error_hint(error, "create Docker's network again");
	return error_code(error, CODE_DOCKER_SUBNET);
}

static int gateway_choose(const struct docker_work *work, const struct subnet *subnet,
			  struct ip *ret, struct error *error)
{
	char text[IP_TEXT_SIZE];
	const struct ip *requested = &work->call->address;
	*ret = docker_gateway(subnet);
	if (!requested->family || ip_equal(requested, ret))
		return 0;
	if (docker_has_gateway(subnet))
		error_set(error, EINVAL, "the gateway of the files is %s", ip_format(ret, text));
	else
		error_set(error, EINVAL, "the files have no gateway in this subnet");
	error_hint(error, "leave --gateway out, or write the one of the files");
	return error_code(error, CODE_DOCKER_SUBNET);
}

/* Whether a live link has the address is checked when the link is made. */
static int requested_check(const struct docker_work *work, const struct network_of_set *where,
			   const struct subnet *subnet, struct error *error)
{
	char text[IP_TEXT_SIZE];
	const struct ip *ip = &work->call->address;
	const char *problem =
		!prefix_usable(&subnet->prefix, ip) ? "is not a host address of the subnet"
		: ip_equal(&subnet->gateway, ip)    ? "is the gateway's"
		: state_reserved(work->state, where->set->name, where->network->name, ip)
			? "belongs to another container"
			: NULL;
	if (!problem)
		return 0;
	error_set(error, EADDRINUSE, "network %s: the requested address %s %s",
		  where->network->name, ip_format(ip, text), problem);
	error_hint(error, "choose another address with --ip, or leave the option out");
	return error_code(error, CODE_DOCKER_ADDRESS);
}

/* Addresses that Docker was given are not chosen again, also where an observation does not have
 * them because another process has the name of the socket (docker_reservations_listen). */
static void reservations_exclude(const struct docker_work *work, struct desired *desired,
				 const struct network_of_set *where)
{
	const struct plugin_state *state = work->state;
	for (size_t i = 0; i < state->n_reservations; i++) {
		const struct docker_reservation *reservation = &state->reservations[i];
		struct subnet *subnet = network_subnet_of(where->network, &reservation->ip);
		if (subnet && strcmp(reservation->set, where->set->name) == 0 &&
		    strcmp(reservation->network, where->network->name) == 0)
			*array_push(desired->arena, subnet->aux, subnet->n_aux) =
				(struct aux_address){"docker", reservation->ip};
	}
}

static bool address_of_step(const struct step *step, const struct prefix *subnet, struct ip *ret)
{
	for (size_t i = 0; step->desired && i < step->desired->n_addrs; i++)
		if (prefix_contains(subnet, &step->desired->addrs[i].ip)) {
			*ret = step->desired->addrs[i].ip;
			return true;
		}
	return false;
}

/* The address that a new guest of the network would get. */
static int address_take(const struct run *run, const struct containers *containers,
			const struct subnet *subnet, struct ip *ret, struct error *error)
{
	for (size_t i = 0; i < run->plan->n_steps; i++) {
		const struct step *step = &run->plan->steps[i];
		if (!containers_have(containers, step))
			continue;
		if (address_of_step(step, &subnet->prefix, ret))
			return 0;
		if (attach_step_error(run, step, error))
			return -EINVAL;
	}
	error_set(error, ENOSPC, "network %s has no free address",
		  containers->attachment->network->name);
	return error_code(error, CODE_DOCKER_ADDRESS);
}

static int address_choose(const struct docker_work *work, struct desired *desired,
			  const struct network_of_set *where, const struct subnet *subnet,
			  struct ip *ret, struct error *error)
{
	struct run run;
	struct containers containers;
	struct options options = *work->options;
	const struct started started = {.name = "docker",
					.key = "docker.0000000000000000",
					.netns = work->scratch,
					.interface = "mvdocker"};
	reservations_exclude(work, desired, where);
	const struct desired *with =
		started_add(desired, where, &started, work->arena, &containers, error);
	options.quiet = true;
	options.only = &containers;
	options.plan.partial = true;
	if (!with || run_observe(&run, with, &options, error) < 0)
		return -EINVAL;
	const int status = address_take(&run, &containers, subnet, ret, error);
	run_free(&run);
	return status;
}

static int address_find(const struct docker_work *work, struct desired *desired, struct ip *ret,
			struct error *error)
{
	struct network_of_set where;
	struct subnet *subnet;
	int status = pool_find(work, desired, &where, &subnet, error);
	if (status < 0)
		return status;
	if (work->call->gateway)
		return gateway_choose(work, subnet, ret, error);
	*ret = work->call->address;
	status = ret->family ? requested_check(work, &where, subnet, error)
			     : address_choose(work, desired, &where, subnet, ret, error);
	if (status == 0)
		state_reserve(work->state, where.set->name, where.network->name, ret);
	return status;
}

json_t *docker_request_address(const struct docker_work *work, struct error *error)
{
	struct ip ip = {0};
	struct desired *desired = docker_files_desired(work->files, error);
	const int status = desired ? address_find(work, desired, &ip, error) : -EINVAL;
	const struct prefix address = {ip, work->call->pool.subnet.len};
	char text[PREFIX_TEXT_SIZE];
	return status < 0
		       ? NULL
		       : json_pack("{s:s, s:{}}", "Address", prefix_format(&address, text), "Data");
}

json_t *docker_release_address(const struct docker_work *work, struct error *error)
{
	const struct docker_call *call = work->call;
	(void)error;
	state_release(work->state, call->pool.set, call->pool.network, &call->address);
	return json_object();
}
