#ifndef CMD_DOCKER_PLUGIN_ANSWER_H
#define CMD_DOCKER_PLUGIN_ANSWER_H

#include <jansson.h>

/* Sends the answer to an HTTP request, with that status, and releases it. A peer that does not read
 * for 5 s gets a part of it. */
void docker_answer_send(int fd, int code, json_t *answer);

#endif
