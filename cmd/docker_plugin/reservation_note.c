#include "cmd/docker_plugin/reservation_note.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

void reservation_note_write(int end, const struct docker_reservation *reservation)
{
	struct reservation_note note = {.ip = reservation->ip};
	snprintf(note.set, sizeof(note.set), "%s", reservation->set);
	snprintf(note.network, sizeof(note.network), "%s", reservation->network);
	while (write(end, &note, sizeof(note)) < 0 && errno == EINTR)
		;
}

int reservation_note_read(int end, struct reservation_note *ret)
{
	struct pollfd poller = {.fd = end, .events = POLLIN};
	struct reservation_note note;
	if (poll(&poller, 1, 0) <= 0)
		return 0;
	if (read(end, &note, sizeof(note)) != sizeof(note))
		return -1;
	*ret = note;
	return 1;
}
