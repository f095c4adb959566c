#include "cmd/docker_plugin/await.h"

#include <time.h>

#define TRIES         30
#define PAUSE_SECONDS 2

void docker_pause(void)
{
	nanosleep(&(struct timespec){.tv_sec = PAUSE_SECONDS}, NULL);
}

void docker_await(docker_attempt *attempt, void *data)
{
	for (int i = 0; i < TRIES && attempt(data) < 0; i++)
		docker_pause();
}
