/* Links whose endpoint Docker deleted while the plugin did not answer. */
#ifndef CMD_DOCKER_PLUGIN_STALE_H
#define CMD_DOCKER_PLUGIN_STALE_H

/* Deletes those in the host's namespace, once Docker has listed its endpoints; it waits a minute
 * for that. Without such links it returns at once. */
void docker_stale_delete(void);

#endif
