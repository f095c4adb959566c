#include "schema/model.h"
#include "schema/fields.h"

static const char *word_name(const struct word *words, unsigned value)
{
	while (words->name && words->value != value)
		words++;
	return words->name;
}

const char *driver_name(enum driver driver)
{
	return word_name(driver_words, driver);
}

const char *vlan_protocol_name(enum vlan_protocol protocol)
{
	return word_name(vlan_protocol_words, protocol);
}

const char *link_mode_name(enum link_mode mode)
{
	return word_name(link_mode_words, mode);
}

const char *source_kind_name(enum source_kind kind)
{
	switch (kind) {
	case SOURCE_NETNS:
		return "netns";
	case SOURCE_PID:
		return "pid";
	case SOURCE_DOCKER:
		return "docker";
	case SOURCE_PODMAN:
		return "podman";
	}
	return NULL;
}

struct subnet *network_subnet_of(const struct network *network, const struct ip *ip)
{
	for (size_t i = 0; i < network->n_subnets; i++)
		if (prefix_contains(&network->subnets[i].prefix, ip))
			return &network->subnets[i];
	return NULL;
}

bool network_has_family(const struct network *network, unsigned family)
{
	for (size_t i = 0; i < network->n_subnets; i++)
		if (network->subnets[i].prefix.ip.family == family)
			return true;
	return false;
}

void desired_free(struct desired *desired)
{
	if (desired)
		arena_free(desired->arena);
}
