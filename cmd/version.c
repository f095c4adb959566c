/* `mvapply --version`: the version, and what this build supports on this host. */
#include "cmd/commands.h"
#include "cmd/exit.h"
#include "cmd/output_json.h"
#include "container_engine/libcurl.h"

#include <stdio.h>
#include <yaml.h>

#ifdef __clang__
#define COMPILER "clang " __clang_version__
#else
#define COMPILER "gcc " __VERSION__
#endif

static bool has_engines(void)
{
	struct error error;
	return libcurl_load(&error) == 0;
}

int command_version(const struct options *options)
{
	bool engines = has_engines();
	if (options->output == OUTPUT_JSON)
		return json_finish(json_pack("{s:s, s:{s:s, s:s, s:s}, s:{s:b, s:b, s:b}}",
					     "mvapply", VERSION, "built_with", "libyaml",
					     yaml_get_version_string(), "jansson", JANSSON_VERSION,
					     "compiler", COMPILER, "features", "netns", 1, "docker",
					     engines, "podman", engines),
				   EXIT_CONVERGED);
	printf("mvapply %s\nbuilt with libyaml %s, jansson %s, %s\nfeatures: netns pid %s\n",
	       VERSION, yaml_get_version_string(), JANSSON_VERSION, COMPILER,
	       engines ? "docker podman"
		       : "(docker and podman need libcurl, which is not installed)");
	return EXIT_CONVERGED;
}
