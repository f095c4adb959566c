/* The address that a worker of the plugin has reserved, as it tells the plugin's process in a pipe:
 * one note, of fewer bytes than PIPE_BUF. */
#ifndef CMD_DOCKER_PLUGIN_RESERVATION_NOTE_H
#define CMD_DOCKER_PLUGIN_RESERVATION_NOTE_H

#include "container_engine/docker_reservations.h"
#include "schema/model.h"

struct reservation_note {
	char set[NAME_LENGTH_MAX + 1], network[NAME_LENGTH_MAX + 1];
	struct ip ip;
};

/* Before the answer, which Docker's next call may follow at once. */
void reservation_note_write(int end, const struct docker_reservation *reservation);

/* Returns 1 and *ret; 0 if nothing has been written yet; or -1 if the worker has ended. Does not
 * wait. */
int reservation_note_read(int end, struct reservation_note *ret);

#endif
