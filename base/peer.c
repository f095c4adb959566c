#include "base/peer.h"

#include <sys/time.h>
#include <unistd.h>

bool peer_of(int fd, struct ucred *ret_peer)
{
	socklen_t size = sizeof(*ret_peer);
	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, ret_peer, &size) == 0;
}

void peer_patience(int fd, unsigned milliseconds)
{
	const struct timeval patience = {.tv_sec = milliseconds / 1000,
					 .tv_usec = (suseconds_t)(milliseconds % 1000) * 1000};
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
}

bool peer_trusted(const struct ucred *peer)
{
	return peer->uid == 0 || peer->uid == geteuid();
}
