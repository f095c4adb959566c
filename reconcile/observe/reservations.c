#include "reconcile/observe/reservations.h"

void reservations_observe(struct live *live)
{
	struct docker_reservation *reserved;
	live->n_reserved = docker_reservations_read(live->arena, &reserved);
	live->reserved = reserved;
}
