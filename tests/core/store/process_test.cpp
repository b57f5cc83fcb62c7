#include "core/store/process.h"

#include <csignal>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

namespace automodel::store {
namespace {

TEST(Life, OfThisProcessIsAlive) {
  EXPECT_EQ(life_of(Process::current()), Life::kAlive);
}

TEST(Life, ANumberThatAnotherProcessTookIsDead) {
  Process process = Process::current();
  process.started_ticks -= 1;
  EXPECT_EQ(life_of(process), Life::kDead);
}

TEST(Life, EndsWithABoot) {
  Process process = Process::current();
  process.boot_id = "another";
  EXPECT_EQ(life_of(process), Life::kDead);
}

TEST(Life, ElsewhereIsNotKnown) {
  for (std::string Process::* field : {&Process::host, &Process::machine_id, &Process::pid_namespace}) {
    Process process = Process::current();
    process.*field = "another";
    EXPECT_EQ(life_of(process), Life::kUnknown);
  }
}

TEST(Life, AKilledChildIsDeadBeforeAndAfterItIsReaped) {
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const Process own = Process::current();
    if (::write(ready[1], &own.started_ticks, sizeof own.started_ticks) < 0) ::_exit(1);
    for (;;) ::pause();
  }
  Process process = Process::current();
  process.pid = child;
  ASSERT_EQ(::read(ready[0], &process.started_ticks, sizeof process.started_ticks),
            static_cast<ssize_t>(sizeof process.started_ticks));
  EXPECT_EQ(life_of(process), Life::kAlive);
  ::kill(child, SIGKILL);
  siginfo_t info;
  ::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT);
  EXPECT_EQ(life_of(process), Life::kDead) << "a zombie";
  ::waitpid(child, nullptr, 0);
  EXPECT_EQ(life_of(process), Life::kDead);
}

}  // namespace
}  // namespace automodel::store
