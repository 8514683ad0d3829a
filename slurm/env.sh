# shellcheck shell=bash
# The site's settings, read by every script of this folder before it launches. Adapt the first part to your cluster; a
# value that is already in the environment (sbatch passes yours on) wins over the defaults below.

# module load gcc openmpi hdf5          # what scripts/build was run with

: "${XLRM_LAUNCHER:=srun}"              # srun | mpirun; srun lets Slurm see and signal each rank
: "${XLRM_MPI:=pmix}"                   # srun --mpi=…; see `srun --mpi=list`. pmi2 or none give N single ranks with most Open MPIs
: "${XLRM_SRUN_FLAGS:=}"                # further flags of srun, separated by blanks
: "${XLRM_MPIRUN_FLAGS:=--bind-to none}" # of mpirun; ranks divide the cores of their node themselves
: "${XLRM_GRACE:=240}"                  # seconds from the stop signal until the launcher is ended by force; below --signal's
: "${XLRM_REQUEUE:=yes}"                # yes | no: put the job back in the queue after an early stop
: "${XLRM_MAX_STALLS:=3}"               # give up after so many launches in a row that finished nothing new
