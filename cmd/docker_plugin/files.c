#include "cmd/docker_plugin/files.h"

#include "cmd/attach/files.h"

void docker_files_refresh(struct docker_files *files, const struct options *options)
{
	uint64_t content;
	struct error error;
	struct desired *desired = attach_files_changed(
		options, files->loaded ? &files->content : NULL, &content, &error);
	if (files->loaded && content == files->content)
		return;
	desired_free(files->desired);
	files->loaded = true;
	files->content = content;
	files->desired = desired;
	if (!desired)
		files->error = error;
}

struct desired *docker_files_desired(const struct docker_files *files, struct error *error)
{
	if (!files->desired)
		*error = files->error;
	return files->desired;
}

void docker_files_free(struct docker_files *files)
{
	desired_free(files->desired);
}
