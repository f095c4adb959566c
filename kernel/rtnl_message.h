/* Room for one request. */
#ifndef KERNEL_RTNL_MESSAGE_H
#define KERNEL_RTNL_MESSAGE_H

#include <libmnl/libmnl.h>

union message {
	struct nlmsghdr header;
	char bytes[2048];
};

#endif
