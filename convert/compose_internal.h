/* Declarations shared by the files that read a Compose project. Others include compose_project.h.
 */
#ifndef CONVERT_COMPOSE_INTERNAL_H
#define CONVERT_COMPOSE_INTERNAL_H

#include "convert/compose_interpolate.h"
#include "convert/import.h"

/* Files that one project may read, and how deep they may include and extend one another. */
#define COMPOSE_FILES_MAX 100
#define COMPOSE_DEPTH_MAX 20

struct compose_project;

struct loader {
	struct arena *arena;
	const struct compose_source *source;
	struct compose_project *project;
	struct interpolation interpolation; /* its variables are those of the current file */
	json_t *extended;                   /* the services of files that others extend, by path */
	size_t files;                       /* that were read */
	size_t nodes;                       /* that were copied */
};

/* The file or files of one project, or of one that is included, and the directory that they are
 * relative to. */
struct compose_place {
	const struct compose_place *outer; /* which includes it; NULL: none */
	const char *file;
	const char *directory;
};

/* Adds a note: a value that was not resolved, its place and the reason. */
__attribute__((format(printf, 3, 4))) void compose_note(struct loader *loader, const char *place,
							const char *format, ...);

/* The path of a file that is named in the directory. */
const char *compose_path(struct loader *loader, const char *directory, const char *name);
const char *compose_directory(struct loader *loader, const char *path);

/* The documents of a file, an array, or NULL with a note at the place. The caller's to
 * json_decref. */
json_t *compose_documents(struct loader *loader, const char *place, const char *path);

/* Merges the document, which it takes over, into the project so far. */
json_t *compose_document_merge(struct loader *loader, const struct compose_place *at, json_t *root,
			       json_t *document);

/* Keeps the parts of the document that concern networks, and expands their variables. */
void compose_document_prepare(struct loader *loader, json_t *document);

/* Reads a file of variables into `variables`. One that is missing has a note unless `optional`. */
void compose_env(struct loader *loader, const char *path, bool optional, const json_t *environment,
		 json_t *variables);

/* Merges the document over the documents that it includes. */
void compose_include(struct loader *loader, const struct compose_place *at, json_t *document);

/* Merges services over those that they extend. */
void compose_extend(struct loader *loader, const struct compose_place *at, json_t *document);

#endif
