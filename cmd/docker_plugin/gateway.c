#include "cmd/docker_plugin/gateway.h"

bool docker_has_gateway(const struct subnet *subnet)
{
	return prefix_contains(&subnet->prefix, &subnet->gateway);
}

struct ip docker_gateway(const struct subnet *subnet)
{
	return docker_has_gateway(subnet) ? subnet->gateway : subnet->prefix.ip;
}
