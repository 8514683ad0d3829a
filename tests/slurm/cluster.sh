# shellcheck shell=bash
# A Slurm cluster of several nodes on one machine, for tests. Sourced, never run.
#
#   require_cluster           ends the script with code 77 (skipped) and a sentence where a cluster cannot be had
#   start_cluster NODES CPUS  nodes h1, h2 … with a controller and a munge daemon of their own, all below $cluster
#   stop_cluster              ends every process of it and removes $cluster; also done on exit
#
# Each slurmd has its own host name (a UTS namespace): Open MPI names its shared-memory segments by host, and counts
# ranks of equal host names as local. The processes of a node are those that share its slurmd's namespace.
# All traffic stays on the loopback device, since some hosts filter connections to their own address.
# A requeued job waits until its credential expires; cred_expire makes that seconds instead of two minutes.

skip() { echo "skipped: $*"; exit 77; }

require_cluster() {
  [ "$(id -u)" = 0 ] || skip "a Slurm of several nodes on one machine needs root"
  local tool
  for tool in munged slurmctld slurmd sbatch srun scontrol mpirun unshare; do
    PATH=$PATH:/usr/sbin:/sbin command -v "$tool" >/dev/null || skip "$tool is not installed (scripts/setup --tests)"
  done
  unshare --uts true 2>/dev/null || skip "this machine does not allow a namespace of its own (unshare --uts)"
}

start_cluster() {
  local nodes=$1 cpus=$2 n
  export PATH=$PATH:/usr/sbin:/sbin
  cluster=$(mktemp -d "${TMPDIR:-/tmp}/xlrm-slurm.XXXXXX")
  node_pids=()
  trap stop_cluster EXIT
  local port
  port=$(free_ports $((nodes + 1)))
  mkdir -p "$cluster"/{spool,state,tmp,munge}
  start_munge
  write_configuration "$nodes" "$cpus" "$port"
  export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_mpi_yield_when_idle=1
  export OMPI_MCA_btl_tcp_if_include=lo OMPI_MCA_oob_tcp_if_include=lo OMPI_MCA_btl_vader_single_copy_mechanism=none
  export SLURM_CONF=$cluster/slurm.conf
  in_host ctl slurmctld -D >"$cluster/slurmctld.out" 2>&1 &
  adopt $!
  for ((n = 1; n <= nodes; ++n)); do
    mkdir -p "$cluster/tmp/h$n" "$cluster/spool/h$n"
    in_host "h$n" slurmd -D -N "h$n" >"$cluster/slurmd-h$n.out" 2>&1 &
    adopt $!
  done
  wait_for 60 all_idle "$nodes" || { show_logs; echo "the cluster did not come up"; exit 1; }
}

adopt() { # adopt PID: it belongs to the cluster, and its end is not the shell's business
  node_pids+=("$1")
  disown "$1"
}

# The first of COUNT ports in a row below the ephemeral range on which nobody listens.
free_ports() {
  local count=$1 port i try
  for try in {0..99}; do
    port=$((20000 + (($$ + try * 37) % 600) * 16))
    for ((i = 0; i < count; ++i)); do
      if (exec 3<>"/dev/tcp/127.0.0.1/$((port + i))") 2>/dev/null; then continue 2; fi
    done
    echo "$port"
    return
  done
  echo "no free ports" >&2
  return 1
}

start_munge() {
  head -c 1024 /dev/urandom >"$cluster/munge/key"
  chmod 400 "$cluster/munge/key"
  chmod 711 "$cluster" "$cluster/munge"
  munged --foreground --force --key-file="$cluster/munge/key" --socket="$cluster/munge/socket" --pid-file="$cluster/munge/pid" \
    --seed-file="$cluster/munge/seed" --log-file="$cluster/munge/log" >"$cluster/munge/out" 2>&1 &
  munge_pid=$!
  disown "$munge_pid"
}

write_configuration() {
  local nodes=$1 cpus=$2 port=$3
  cat >"$cluster/slurm.conf" <<CONF
ClusterName=xlrm
SlurmctldHost=ctl(127.0.0.1)
SlurmctldPort=$port
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket=$cluster/munge/socket,cred_expire=5
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=sched_interval=2,bf_interval=2
MpiDefault=pmix
SlurmdParameters=config_overrides
ReturnToService=2
SlurmdTimeout=15
KillWait=5
MailProg=/bin/true
StateSaveLocation=$cluster/state
SlurmctldPidFile=$cluster/slurmctld.pid
SlurmctldLogFile=$cluster/slurmctld.log
SlurmdLogFile=$cluster/slurmd-%n.log
SlurmdSpoolDir=$cluster/spool/%n
SlurmdPidFile=$cluster/slurmd-%n.pid
TmpFS=$cluster/tmp/%n
NodeName=h[1-$nodes] NodeHostname=h[1-$nodes] NodeAddr=127.0.0.1 Port=[$((port + 1))-$((port + nodes))] CPUs=$cpus RealMemory=4000
PartitionName=main Nodes=ALL Default=YES MaxTime=UNLIMITED
CONF
  # No plugin above uses cgroups, but slurmd looks for their file system unless it is told the version.
  echo "CgroupPlugin=cgroup/v1" >"$cluster/cgroup.conf"
}

in_host() { # in_host NAME COMMAND...: runs the command under a host name of its own
  # shellcheck disable=SC2016  # expanded by the inner shell
  exec unshare --uts bash -c 'hostname "$1"; shift; exec "$@"' in_host "$@"
}

all_idle() { [ "$(sinfo -h -N -t idle -o %N 2>/dev/null | sort -u | wc -l)" = "$1" ]; }

wait_for() { # wait_for SECONDS COMMAND...: until the command succeeds
  local end=$((SECONDS + $1))
  while ! "${@:2}"; do
    [ $SECONDS -lt $end ] || return 1
    sleep 0.3
  done
}

show_logs() { tail -n 30 "$cluster"/*.out "$cluster"/*.log 2>/dev/null; }

# SIGKILL to every process that shares the UTS namespace of PID, as when the node loses power.
kill_node() {
  local space other
  space=$(readlink "/proc/$1/ns/uts" 2>/dev/null) || return 0
  [ "$space" != "$(readlink /proc/self/ns/uts)" ] || return 0
  for other in /proc/[0-9]*; do
    if [ "$(readlink "$other/ns/uts" 2>/dev/null)" = "$space" ]; then kill -KILL "${other#/proc/}" 2>/dev/null || true; fi
  done
}

all_gone() {
  local pid
  for pid; do ! kill -0 "$pid" 2>/dev/null || return 1; done
}

stop_cluster() {
  local status=$? pid
  trap - EXIT
  for pid in "${node_pids[@]}"; do kill_node "$pid"; done
  kill "$munge_pid" 2>/dev/null || true
  wait_for 10 all_gone "${node_pids[@]}" "$munge_pid" || true
  rm -rf "$cluster"
  return "$status"
}
