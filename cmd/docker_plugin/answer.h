#ifndef CMD_DOCKER_PLUGIN_ANSWER_H
#define CMD_DOCKER_PLUGIN_ANSWER_H

#include "lib/error.h"

#include <jansson.h>
#include <stdbool.h>

/* Sends the answer to an HTTP request, with that status, and releases it. A peer that does not read
 * for 5 s gets a part of it. */
void docker_answer_send(int fd, int code, json_t *answer);

/* The error of a call, in the form of its driver: `ipam`, or network. */
void docker_answer_failure(int fd, bool ipam, const struct error *error);
/* To a request that is not valid HTTP, with that status. */
void docker_answer_refusal(int fd, int code);
/* In place of a worker that has ended without an answer. */
void docker_answer_crash(int fd);

#endif
