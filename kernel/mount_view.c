#include "kernel/mount_view.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>

static bool process_stat(const char *process, const char *file, struct stat *ret)
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/%s/%s", process, file);
	return stat(path, ret) == 0;
}

bool mount_view_read(const char *process, struct mount_view *ret)
{
	struct stat namespace, root;
	if (!process_stat(process, "ns/mnt", &namespace) || !process_stat(process, "root", &root))
		return false;
	*ret = (struct mount_view){
		.namespace = namespace.st_ino, .device = root.st_dev, .root = root.st_ino};
	return true;
}

bool mount_view_same(const struct mount_view *a, const struct mount_view *b)
{
	return a->namespace == b->namespace && a->device == b->device && a->root == b->root;
}

const char *mount_view_format(const struct mount_view *view, char text[MOUNT_VIEW_TEXT_SIZE])
{
	snprintf(text, MOUNT_VIEW_TEXT_SIZE, "%ju %jx %ju", (uintmax_t)view->namespace,
		 (uintmax_t)view->device, (uintmax_t)view->root);
	return text;
}

bool mount_view_parse(const char *text, struct mount_view *ret)
{
	uintmax_t namespace, device, root;
	if (sscanf(text, "%ju %jx %ju", &namespace, &device, &root) != 3)
		return false;
	*ret = (struct mount_view){
		.namespace = (ino_t) namespace, .device = (dev_t)device, .root = (ino_t)root};
	return true;
}
