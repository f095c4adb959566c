#include "schema/driver.h"
#include "schema/internal.h"

#include <string.h>

/* An address or MAC on a link, and the network that uses it. */
struct claim {
	struct claim_key {
		uint32_t link;
		uint8_t family; /* 0: a MAC */
		uint8_t bytes[16];
		uint8_t zero[3]; /* compared as bytes, so no padding */
	} key;
	struct place place;
	const struct network *network;
	const char *what; /* RESERVED_GATEWAY, RESERVED_AUX; NULL: the address of a link */
};

static struct claim *claim_new(struct build *build, const struct network_info *info,
			       const struct node *node)
{
	struct claim *claim = arena_alloc(build->context.scratch, sizeof(*claim));
	claim->key.link = info->link->id;
	claim->place = place_of(&build->context, node);
	claim->network = info->network;
	return claim;
}

/* Adds the claim; returns an existing one for the same address, or NULL. */
static const struct claim *claim_enter(struct build *build, struct claim *claim)
{
	return index_put(build->claims, &claim->key, sizeof(claim->key), claim);
}

/* Two of the same are not both meant; an aux address beside anything else has no use. */
static const char *reserved_hint(const struct claim *other, const char *what)
{
	if (strcmp(other->what, what) == 0)
		return "remove one of the two";
	return "remove the aux address: a gateway is never allocated";
}

static const char *in_use_hint(const struct claim *other)
{
	return strcmp(other->what, RESERVED_AUX) == 0
		       ? "remove the aux address: an address that the file gives to one link is "
			 "never allocated to another one"
		       : "choose another address";
}

void address_reserve(struct build *build, const struct scope *scope, struct network_info *info,
		     const struct node *node, const struct ip *ip, const char *what)
{
	if (!info->link || !ip->family)
		return;
	struct claim *claim = claim_new(build, info, node);
	claim->key.family = ip->family;
	memcpy(claim->key.bytes, ip->bytes, sizeof(ip->bytes));
	claim->what = what;

	/* Several networks of the link may have the same router. */
	const struct claim *other = claim_enter(build, claim);
	if (other && other->network == info->network)
		report(&build->context, CODE_ADDRESS_RESERVED, scope, node,
		       reserved_hint(other, what), "%s is already %s of this network at %s",
		       printable_text(&build->context, node->text), other->what,
		       place_text(&build->context, &other->place));
}

static void report_in_use(struct build *build, const struct scope *scope,
			  const struct network_info *info, const struct node *node,
			  const struct claim *other)
{
	struct context *context = &build->context;
	if (other->what)
		report(context, CODE_ADDRESS_RESERVED, scope, node, in_use_hint(other),
		       "%s is %s of networks.%s at %s", printable_text(context, node->text),
		       other->what, printable_text(context, other->network->name),
		       place_text(context, &other->place));
	else
		report(context, CODE_TWICE_ON_LAN, scope, node, "choose another address",
		       "%s is already used on %s, at %s", printable_text(context, node->text),
		       info->link->title, place_text(context, &other->place));
}

/* Whether a link in the network can have the address. */
static bool address_fits(struct build *build, const struct scope *scope,
			 const struct network_info *info, const struct node *node,
			 const struct ip *ip)
{
	struct context *context = &build->context;
	const char *family = ip->family == AF_INET ? "IPv4" : "IPv6";
	const struct network *network = info->network;
	const struct subnet *subnet = network_subnet(info, ip);

	if (!subnet && info->unsure)
		return false;
	if (!(ip->family == AF_INET ? info->has_ipv4 : info->has_ipv6)) {
		report(context, CODE_ADDRESS_OUTSIDE, scope, node,
		       "declare a subnet of this family in the network (`subnets` takes several), "
		       "or remove the address",
		       "%s cannot be used: networks.%s has no %s subnet", node->text,
		       printable_text(context, network->name), family);
		return false;
	}
	if (!subnet && info->n_subnets == 1) {
		char text[PREFIX_TEXT_SIZE];
		report(context, CODE_ADDRESS_OUTSIDE, scope, node, NULL,
		       "%s is not in subnet %s of networks.%s", node->text,
		       prefix_format(&info->subnets[0]->prefix, text),
		       printable_text(context, network->name));
		return false;
	}
	if (!subnet) {
		report(context, CODE_ADDRESS_OUTSIDE, scope, node, NULL,
		       "%s is not in any subnet of networks.%s", node->text,
		       printable_text(context, network->name));
		return false;
	}
	if (!prefix_usable(&subnet->prefix, ip)) {
		struct ip first = prefix_first(&subnet->prefix);
		report(context, CODE_ADDRESS_RESERVED, scope, node, "choose another address",
		       "%s is the %s address of the subnet", node->text,
		       !ip_equal(&first, ip)   ? "broadcast"
		       : ip->family == AF_INET ? "network"
					       : "subnet-router anycast");
		return false;
	}
	return true;
}

void address_claim_at(struct build *build, const struct scope *scope, struct network_info *info,
		      const struct node *node, const struct ip *ip)
{
	if (!ip->family || !address_fits(build, scope, info, node, ip) || !info->link)
		return;
	struct claim *claim = claim_new(build, info, node);
	claim->key.family = ip->family;
	memcpy(claim->key.bytes, ip->bytes, sizeof(ip->bytes));
	const struct claim *other = claim_enter(build, claim);
	if (other)
		report_in_use(build, scope, info, node, other);
}

void address_claim(struct build *build, const struct scope *scope, struct network_info *info,
		   const struct node *body, const char *key, const struct ip *ip)
{
	const struct node *node = body ? node_good(body, key) : NULL;
	struct scope here = {.up = scope, .name = key};
	if (node)
		address_claim_at(build, &here, info, node, ip);
}

void mac_claim(struct build *build, const struct scope *scope, struct network_info *info,
	       const struct node *body, const struct mac *mac)
{
	static const char key[] = "mac_address";
	const struct node *node = body ? node_good(body, key) : NULL;
	struct scope here = {.up = scope, .name = key};
	if (!node || !mac->set || !info->link)
		return;
	if (driver_info(info->network->driver)->shares_mac) {
		report(&build->context, CODE_MAC_IPVLAN, &here, node, "remove `mac_address`",
		       "cannot be set: networks.%s is %s, and its links share the parent's MAC "
		       "address",
		       printable_text(&build->context, info->network->name),
		       driver_name(info->network->driver));
		return;
	}
	struct claim *claim = claim_new(build, info, node);
	memcpy(claim->key.bytes, mac->bytes, sizeof(mac->bytes));
	const struct claim *other = claim_enter(build, claim);
	if (other)
		report_in_use(build, &here, info, node, other);
}
