/* A file with the name servers of a lease, in the format of resolv.conf(5). Its first line names
 * the owner: a file without it is another program's, and is neither replaced nor removed. */
#ifndef DHCP_RESOLV_CONF_H
#define DHCP_RESOLV_CONF_H

#include "dhcp/lease.h"
#include "lib/error.h"

/* `owner` is the owner tag of a link. Replaces the file at once (rename(2)), with mode 0644. The
 * folders of the path must be root's or the user's, no symbolic links, and not writable by others
 * or sticky. Returns 0 or a negative errno. */
int resolv_conf_write(const char *path, const char *owner, const struct lease *lease,
		      struct error *error);
/* Whether the folders of the path are such. Returns 0 or a negative errno. */
int resolv_conf_folder_check(const char *path, struct error *error);
/* Whether there is the owner's file. */
bool resolv_conf_exists(const char *path, const char *owner);
/* Removes the owner's file; any other is left. */
void resolv_conf_remove(const char *path, const char *owner);

#endif
