/* Repeats requests to Docker, which answers nothing while it starts. */
#ifndef CMD_DOCKER_PLUGIN_AWAIT_H
#define CMD_DOCKER_PLUGIN_AWAIT_H

/* Returns 0, or a negative errno: Docker has not answered. */
typedef int docker_attempt(void *data);

/* Waits two seconds. */
void docker_pause(void);
/* Repeats the attempt with pauses, until it returns 0, for a minute at most. */
void docker_await(docker_attempt *attempt, void *data);

#endif
