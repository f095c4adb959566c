"""CRI-O as Kubernetes uses it (CRIO: its program, with `pinns` beside it), which Debian does not have. Its CRI is containerd's."""
import json
import os
import subprocess

import containerd
from host import WORK

CRIO = os.environ.get("CRIO", "")
CONFIGURATION = """[crio]
root = "{home}/data"
runroot = "{home}/state"
storage_driver = "vfs"
version_file = "{home}/version"
version_file_persist = "{home}/version-persist"
clean_shutdown_file = "{home}/clean"
[crio.api]
listen = "{home}/engine.sock"
[crio.runtime]
default_runtime = "runc"
pinns_path = "{programs}/pinns"
cgroup_manager = "cgroupfs"
conmon_cgroup = "pod"
apparmor_profile = "unconfined"
namespaces_dir = "{home}/ns"
container_exits_dir = "{home}/exits"
container_attach_socket_dir = "{home}/attach"
hooks_dir = ["{home}/hooks"]
[crio.runtime.runtimes.runc]
runtime_path = "/usr/sbin/runc"
runtime_root = "{home}/runc"
monitor_path = "/usr/bin/conmon"
monitor_cgroup = "pod"
[crio.image]
pause_image = "{image}"
signature_policy = "{home}/policy.json"
[crio.network]
network_dir = "{home}/networks"
plugin_dirs = ["{home}/plugins"]
[crio.nri]
enable_nri = false
"""


class Crio(containerd.Containerd):
    def write_configuration(self):
        self.spaces = f"{self.home}/ns/netns"
        self.install_hook()
        with open(f"{self.home}/policy.json", "w", encoding="ascii") as file:
            json.dump({"default": [{"type": "insecureAcceptAnything"}]}, file)
        with open(f"{self.home}/crio.conf", "w", encoding="ascii") as file:
            file.write(CONFIGURATION.format(home=self.home, image=containerd.IMAGE, programs=os.path.dirname(CRIO)))
        self.store()

    def install_hook(self):
        """As the package does. The hook has nothing to do for pods, which the CNI plugin attaches."""
        with open(os.path.join(os.path.dirname(__file__), "../../dist/oci/50-mvapply.json"), encoding="ascii") as file:
            text = file.read().replace("/usr/local/bin/mvapply", self.host.binary).replace("/etc/mvapply", f"{WORK}/cni.yaml")
        os.makedirs(f"{self.home}/hooks")
        with open(f"{self.home}/hooks/50-mvapply.json", "w", encoding="ascii") as file:
            file.write(text)

    def command(self):
        return [CRIO, "--config", f"{self.home}/crio.conf", "--config-dir", ""]

    def store(self):
        """The image, into its storage, which no daemon may have open."""
        with open(f"{self.home}/image.tar", "wb") as file:
            file.write(containerd.archive())
        subprocess.run(["podman", "--root", f"{self.home}/data", "--runroot", f"{self.home}/state", "--storage-driver", "vfs",
                        "load", "-q", "-i", f"{self.home}/image.tar"], check=True, capture_output=True, timeout=120)

    def load(self):
        pass

    def pod_config(self, name, attempt=0):
        """With a PID namespace for each container: the pod then needs no process of its own, for which CRI-O lowers
        oom_score_adj, which takes CAP_SYS_RESOURCE."""
        config = super().pod_config(name, attempt)
        return {**config, 8: {**config[8], 2: {1: {2: 1}}}}

    def container_config(self, *arguments):
        return {**super().container_config(*arguments), 15: {2: {3: {2: 1}}}}
