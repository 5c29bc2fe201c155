#!/usr/bin/env bash
# podman, runc and a registry from Debian packages on a machine that has none of them and no network, and the CDI file of its GPU.
# usage: setup.sh FOLDER-OF-DEBS. Changes /etc/containers, /etc/cdi and /opt/pod: for a machine that is thrown away.
set -eu
mkdir -p /opt/pod /etc/containers /etc/cdi
for deb in "$1"/*.deb; do dpkg -x "$deb" /opt/pod; done
lib=/opt/pod/usr/lib/x86_64-linux-gnu:/opt/pod/lib/x86_64-linux-gnu
# podman starts conmon and runc without its own environment, so each finds its libraries by itself.
for program in usr/bin/conmon usr/bin/podman usr/sbin/runc; do
  mv "/opt/pod/$program" "/opt/pod/$program.real"
  printf '#!/bin/sh\nLD_LIBRARY_PATH=%s exec /opt/pod/%s.real "$@"\n' "$lib" "$program" >"/opt/pod/$program"
  chmod +x "/opt/pod/$program"
done
echo '{"default":[{"type":"insecureAcceptAnything"}]}' >/etc/containers/policy.json
printf '[storage]\ndriver="vfs"\ngraphroot="/var/tmp/store"\nrunroot="/run/store"\n' >/etc/containers/storage.conf
cat >/etc/containers/containers.conf <<'C'
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
conmon_path = ["/opt/pod/usr/bin/conmon"]
[engine.runtimes]
runc = ["/opt/pod/usr/sbin/runc"]
[containers]
netns = "none"
default_ulimits = ["nofile=1024:1024", "nproc=1000:1000"]
C
cat >/etc/cdi/nvidia.json <<'J'
{"cdiVersion":"0.5.0","kind":"nvidia.com/gpu","devices":[{"name":"all","containerEdits":{"deviceNodes":[{"path":"/dev/nvidia0"},{"path":"/dev/nvidiactl"},{"path":"/dev/nvidia-uvm"},{"path":"/dev/nvidia-uvm-tools"}],"mounts":[{"hostPath":"/usr/local/nvidia","containerPath":"/usr/local/nvidia","options":["ro","rbind"]}],"env":["LD_LIBRARY_PATH=/usr/local/nvidia/lib64:/usr/local/nvidia/lib"]}}]}
J
