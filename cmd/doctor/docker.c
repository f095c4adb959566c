/* The doctor's check of Docker's networks. */
#include "cmd/docker_plugin/networks.h"
#include "cmd/doctor/doctor.h"
#include "container_engine/docker_call.h"

#include <unistd.h>

/* The plugin may have created a network that the files do not give to Docker any more. */
const char *examine_docker(struct examination *examination)
{
	const char **texts;
	if (examination->host_alone || (!docker_networks_declared(examination->desired) &&
					access(DOCKER_PLUGIN_SOCKET, F_OK) < 0))
		return NULL;
	const size_t count =
		docker_networks_differing(examination->desired, examination->arena, &texts);
	for (size_t i = 0; i < count; i++)
		finding_add(examination, FINDING_WARNING, "docker", texts[i], NULL)->code =
			CODE_DOCKER_DIFFERS;
	return NULL;
}
