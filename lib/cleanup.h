/* Cleanup attributes: a variable's descriptor, stream or memory is released at the end of its
 * scope. Initialise it at the declaration. errno is preserved. */
#ifndef LIB_CLEANUP_H
#define LIB_CLEANUP_H

#include <dirent.h>
#include <stdio.h>

#define cleanup_close    __attribute__((cleanup(close_cleanup)))    /* int; negative: none */
#define cleanup_fclose   __attribute__((cleanup(fclose_cleanup)))   /* FILE *, or NULL */
#define cleanup_closedir __attribute__((cleanup(closedir_cleanup))) /* DIR *, or NULL */
#define cleanup_free     __attribute__((cleanup(free_cleanup))) /* allocated by malloc(3), or NULL */

void close_cleanup(const int *fd);
void fclose_cleanup(FILE **file);
void closedir_cleanup(DIR **directory);
void free_cleanup(void *memory);

/* Passes the descriptor to the caller: the end of the scope does not close it. */
int fd_steal(int *fd);

#endif
