/* socket(2) and socketpair(2) for this program and its libraries, by system calls of their own. The
 * GNU C library of i386, s390x and m68k makes them by socketcall(2), whose arguments are in memory:
 * a seccomp filter cannot see the family, and the program's allows no socket by that call
 * (scripts/seccomp.c). Linux has the direct calls there since 4.3. */
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__GLIBC__) && defined(SYS_socketcall)

int socket(int family, int type, int protocol)
{
	return (int)syscall(SYS_socket, family, type, protocol);
}

int socketpair(int family, int type, int protocol, int ends[2])
{
	return (int)syscall(SYS_socketpair, family, type, protocol, ends);
}

#endif
