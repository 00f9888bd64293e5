#include "test/program.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <sstream>
#include <thread>

namespace adbrook::test {
namespace {

constexpr std::chrono::milliseconds kLook{5};

std::vector<std::string> serve_words(std::string data, std::vector<std::string> flags) {
  std::vector<std::string> words = {ADBROOK_BINARY, "serve",       "--data",  std::move(data),
                                    "--http",       "127.0.0.1:0", "--kafka", "127.0.0.1:0"};
  words.insert(words.end(), flags.begin(), flags.end());
  return words;
}

std::string next_name(const Scratch& scratch, const char* ending) {
  static std::atomic<int> count{0};
  return scratch / ("program-" + std::to_string(++count) + ending);
}

// Looks again and again until it is so or the time is over.
template <class Condition>
bool eventually(std::chrono::seconds patience, Condition condition) {
  const auto end = std::chrono::steady_clock::now() + patience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= end) return false;
    std::this_thread::sleep_for(kLook);
  }
  return true;
}

}  // namespace

Scratch::Scratch() {
  std::string pattern = (std::filesystem::temp_directory_path() / "adbrook-test-XXXXXX").string();
  path_ = ::mkdtemp(pattern.data());
}

Scratch::~Scratch() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string read_file(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

void write_file(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

Program::Program(const Scratch& scratch, std::vector<std::string> words,
                 ProgramEnvironment environment)
    : out_path_(next_name(scratch, ".out")), err_path_(next_name(scratch, ".err")) {
  std::vector<char*> arguments;
  for (auto& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  const int out = ::open(out_path_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  const int err = ::open(err_path_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  const int in = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  pid_ = ::fork();
  if (pid_ == 0) {
    ::dup2(in, STDIN_FILENO);
    ::dup2(out, STDOUT_FILENO);
    ::dup2(err, STDERR_FILENO);
    for (const auto& [name, value] : environment) ::setenv(name.c_str(), value.c_str(), 1);
    ::execvp(arguments[0], arguments.data());
    ::_exit(127);
  }
  for (const int fd : {out, err, in}) ::close(fd);
}

Program::~Program() {
  if (!running()) return;
  signal(SIGKILL);
  wait();
}

void Program::signal(int number) {
  if (running()) ::kill(pid_, number);
}

bool Program::running() {
  if (ended_ || pid_ < 0) return false;
  int status = 0;
  if (::waitpid(pid_, &status, WNOHANG) != pid_) return true;
  ended_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return false;
}

std::optional<int> Program::wait(std::chrono::seconds patience) {
  eventually(patience, [this] { return !running(); });
  return ended_;
}

bool Program::wait_for_output(const std::string& text, std::chrono::seconds patience) {
  eventually(patience, [&] { return out().find(text) != std::string::npos || !running(); });
  return out().find(text) != std::string::npos;
}

std::string Program::out() const { return read_file(out_path_); }
std::string Program::err() const { return read_file(err_path_); }

Outcome run(const Scratch& scratch, std::vector<std::string> words, std::chrono::seconds patience) {
  Program program(scratch, std::move(words));
  const auto code = program.wait(patience);
  return {code.value_or(-1), program.out(), program.err()};
}

Outcome adbrook(const Scratch& scratch, std::vector<std::string> words,
                ProgramEnvironment environment, std::chrono::seconds patience) {
  words.insert(words.begin(), ADBROOK_BINARY);
  Program program(scratch, std::move(words), std::move(environment));
  const auto code = program.wait(patience);
  return {code.value_or(-1), program.out(), program.err()};
}

Serving::Serving(const Scratch& scratch, std::string data, std::vector<std::string> flags)
    : program_(scratch, serve_words(std::move(data), std::move(flags))) {
  if (!program_.wait_for_output("\n")) return;
  const std::string out = program_.out();
  const auto begin = out.find("http://");
  if (begin != std::string::npos)
    url_ = out.substr(begin, out.find_first_of(", \n", begin) - begin);
}

std::optional<int> Serving::stop() {
  program_.signal(SIGTERM);
  return program_.wait();
}

}  // namespace adbrook::test
