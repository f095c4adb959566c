#include "reconcile/observe/engine_trust.h"

#include "kernel/netns.h"

bool engine_is_trusted(const struct engine_container *container, int fd)
{
	return container->user == 0 || netns_owned_by(fd, container->user);
}
