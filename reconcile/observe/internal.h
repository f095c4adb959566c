/* An observation in progress, shared by observe.c, namespaces.c and containers.c. */
#ifndef RECONCILE_OBSERVE_INTERNAL_H
#define RECONCILE_OBSERVE_INTERNAL_H

#include "kernel/netns.h"
#include "reconcile/observe/engine_lookup.h"
#include "reconcile/observe/netns_lookup.h"
#include "reconcile/plan/selection.h"
#include "reconcile/state/state.h"

#include <stdint.h>
#include <sys/stat.h>

#define NOBODY SIZE_MAX

/* With fewer namespaces, starting threads takes longer than reading. */
#define THREADS_FROM 16

/* Descriptors that are open in addition to one for each container's namespace. */
#define DESCRIPTORS_SPARE 256

/* A namespace during its observation. */
struct namespace
{
	struct live_ns *ns;
	size_t lookup; /* the first container in it, or NOBODY */
	bool process;  /* found by a process only */
	bool reopened; /* known from the earlier observation by its inode alone, and open again */
	bool kept;     /* relevant, whatever it contains */
};

struct observer {
	struct arena *scratch; /* for what the observation alone needs */
	struct live *live;
	const struct live *before; /* NULL: the first observation */
	struct stat host;
	struct lookups *lookups;
	struct namespace *namespaces;
	size_t n_namespaces;
	size_t *next_container; /* the next container in the same namespace, or NOBODY */
	size_t *table;          /* open addressing by inode: index into spaces + 1 */
	size_t table_size;
	const struct container_lookup **sorted; /* of the earlier observation, by source */
	const struct containers *only;          /* no others are looked up; NULL: all are */
	bool own_routes;     /* routes of others in the host's namespace cannot conflict */
	bool no_descriptors; /* no descriptor was available */
	bool owner_tags;     /* namespaces with tagged links are relevant, too, and links alone */
	const struct index *known; /* inodes of namespaces that are not opened; NULL: none */
	const struct netns_mounts *mounts; /* the mount table; NULL: it is read */
	bool everything;                   /* a process that cannot be read is reported */
};

/* namespaces.c: the namespaces by inode, and reading them */
/* Creates the table; doubles its size on later calls. */
void namespaces_grow(struct observer *observer);
/* The table's entry for the inode: 1 + the number of its namespace, or 0. */
size_t *namespace_slot(const struct observer *observer, ino_t inode);
struct namespace *namespace_add(struct observer *observer, struct live_ns *ns);
/* The record of an open namespace, created if necessary; takes over the descriptor. All namespaces
 * are in one nsfs, so the inode identifies them. */
struct namespace *namespace_of(struct observer *observer, int fd, const struct stat *stat,
			       const char *name);
/* Reads the open namespaces that are stale. Returns 0, or the error of the host's namespace. */
int namespaces_read(struct observer *observer, struct error *error);
/* Adds an entry about an unreadable part, with a copy of its text. */
void unreadable_add(struct observer *observer, const struct unreadable *unreadable);
/* The same for one namespace, with its error. */
void unreadable_add_namespace(struct observer *observer, ino_t inode, const char *name,
			      const struct error *error);

/* containers.c: the containers' namespaces */
/* Finds each container's namespace; only stale ones are looked up again. */
void container_lookups_find(struct observer *observer, const struct desired *desired);
/* Names the namespaces of a continued observation after the containers that are in them now. */
void containers_name(struct observer *observer);
/* Finds the namespace of the container. `opened` as in source_locate. */
void container_locate(struct observer *observer, struct container_lookup *lookup,
		      const struct source_opened *opened);
/* Finds the containers that the CNI plugin attached: in the namespace that has their links. Returns
 * whether there are any; their namespaces are stale then, as more is read of a container's. */
bool containers_find_attached(struct observer *observer, const struct desired *desired);
/* Keeps the earlier result. */
void container_keep(struct observer *observer, struct container_lookup *lookup,
		    const struct container_lookup *before);

#endif
