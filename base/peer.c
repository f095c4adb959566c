#include "base/peer.h"

#include <unistd.h>

bool peer_of(int fd, struct ucred *ret_peer)
{
	socklen_t size = sizeof(*ret_peer);
	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, ret_peer, &size) == 0;
}

bool peer_trusted(const struct ucred *peer)
{
	return peer->uid == 0 || peer->uid == geteuid();
}
