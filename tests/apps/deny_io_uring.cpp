// SPDX-License-Identifier: MIT
// deny-io-uring COMMAND [ARGUMENT...]: runs a command, and all that it starts, where io_uring is denied as containers'
// default seccomp profiles deny it: its three system calls fail with EPERM.
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstring>

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace {

bool deny_io_uring() {
    static_assert(SYS_io_uring_enter == SYS_io_uring_setup + 1 && SYS_io_uring_register == SYS_io_uring_setup + 2);
    std::array<sock_filter, 5> rules{
        sock_filter BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        sock_filter BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, SYS_io_uring_setup, 0, 2),
        sock_filter BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, SYS_io_uring_register, 1, 0),
        sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const sock_fprog program{rules.size(), rules.data()};
    return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 2) {
        std::fprintf(stderr, "usage: deny-io-uring COMMAND [ARGUMENT...]\n");
        return 2;
    }
    if (!deny_io_uring()) {
        std::fprintf(stderr, "deny-io-uring: seccomp: %s\n", std::strerror(errno));
        return 77;
    }
    ::execvp(argv[1], argv + 1);
    std::fprintf(stderr, "deny-io-uring: %s: %s\n", argv[1], std::strerror(errno));
    return 1;
}
