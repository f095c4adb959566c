/* Ownership at the declaration: what is closed or freed where its scope ends. Initialise it there.
 * errno stays as it was. */
#ifndef LIB_CLEANUP_H
#define LIB_CLEANUP_H

#include <dirent.h>
#include <stdio.h>

#define cleanup_close    __attribute__((cleanup(close_cleanup)))    /* int; negative: none */
#define cleanup_fclose   __attribute__((cleanup(fclose_cleanup)))   /* FILE *, or NULL */
#define cleanup_closedir __attribute__((cleanup(closedir_cleanup))) /* DIR *, or NULL */
#define cleanup_free     __attribute__((cleanup(free_cleanup)))     /* of malloc, or NULL */

void close_cleanup(const int *fd);
void fclose_cleanup(FILE **file);
void closedir_cleanup(DIR **directory);
void free_cleanup(void *memory);

/* Hands the descriptor on: it is the caller's, and closed here no more. */
int fd_steal(int *fd);

#endif
