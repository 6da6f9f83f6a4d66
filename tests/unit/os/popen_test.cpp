// SPDX-License-Identifier: MIT
#include "os/children.hpp"
#include <ringlet/core/job.hpp>
#include <ringlet/os/popen.hpp>
#include <ringlet/os/run_main.hpp>
#include <ringlet/os/standard_input.hpp>
#include <ringlet/time/sleep.hpp>
#include <ringlet/time/timeout.hpp>

#include <filesystem>
#include <fstream>
#include <vector>

using namespace ringlet;
using namespace ringlet_tests;
using os::popen_options;
using os::popen_result;
using os::stdio;

namespace {

os::popen shell(const char* script, const popen_options& options) { return os::popen{{"sh", "-c", script}, options}; }

popen_options all_pipes() { return popen_options{stdio::pipe(), stdio::pipe(), stdio::pipe()}; }

task<> both_ways() {
    std::string text;
    for (int i = 0; text.size() < 3'000'000; ++i) text += std::to_string(i) + '\n';
    os::popen cat{{"cat"}, popen_options::pipes()};
    const popen_result done = co_await cat.communicate(text);
    CHECK(done.output.size() == text.size());
    CHECK((done.output == text));
    CHECK(done.errors.empty());
    CHECK(done.exit_code == 0);

    // Everything at once: input, output and errors, each more than a pipe holds.
    os::popen tee = shell("tee /dev/stderr; exit 3", all_pipes());
    const popen_result twice = co_await tee.communicate(text);
    CHECK((twice.output == text));
    CHECK((twice.errors == text));
    CHECK(twice.exit_code == 3);
}

task<> streams() {
    os::popen cat{{"cat"}, popen_options::pipes()};
    line_reader lines{os::input{cat.output().descriptor()}};
    for (int i = 0; i < 3; ++i) {
        const std::string line = "line " + std::to_string(i);
        const std::string sent = line + '\n';
        co_await cat.input().write_all(as_bytes(sent));
        const std::optional<std::string> got = co_await lines.next();
        CHECK(got == line);
    }
    cat.input().close();
    const std::optional<std::string> end = co_await lines.next();
    CHECK_FALSE(end);
    const int code = co_await cat.join();
    CHECK(code == 0);
}

task<popen_result> output_of(const char* script, popen_options options) {
    os::popen p = shell(script, options);
    popen_result done = co_await p.communicate();
    co_return done;
}

task<> where_streams_go() {
    popen_options merged{stdio::null(), stdio::pipe(), stdio::to_output()};
    const popen_result both = co_await output_of("cat; echo out; echo err >&2", merged);
    CHECK(both.output == "out\nerr\n");
    popen_options silent{stdio::null(), stdio::pipe(), stdio::null()};
    const popen_result one = co_await output_of("echo out; echo err >&2", silent);
    CHECK(one.output == "out\n");
    // A program's output as another one's input, and into a descriptor.
    raw_pipe between;
    os::popen first =
        shell("echo 1; echo 2", popen_options{stdio::null(), stdio::descriptor(between.in), stdio::inherit()});
    os::popen second{{"cat"}, popen_options{stdio::descriptor(between.out), stdio::pipe(), stdio::inherit()}};
    between.in.reset();
    between.out.reset();
    const popen_result piped = co_await second.communicate();
    CHECK(piped.output == "1\n2\n");
    const int code = co_await first.join();
    CHECK(code == 0);
}

task<> surroundings() {
    popen_options options{stdio::null(), stdio::pipe(), stdio::inherit()};
    options.directory = "/";
    options.environment = std::vector<std::string>{"ANSWER=42", "PATH=/usr/bin:/bin"};
    const popen_result done = co_await output_of("pwd; echo $ANSWER $HOME", options);
    CHECK(done.output == "/\n42\n");
    options.own_group = true;
    os::popen p = shell("exec sleep 1000", options);
    CHECK(::getpgid(p.pid()) == p.pid());
    p.terminate();
    const int code = co_await p.join();
    CHECK(code == -SIGTERM);

    const io::owned_fd open{::fcntl(2, F_DUPFD, 77)};
    const std::string script = "test -e /proc/$$/fd/" + std::to_string(open.get());
    os::popen closed{{"sh", "-c", script}};
    const int is_closed = co_await closed.join();
    CHECK(is_closed == 1);
    popen_options keep;
    keep.keep_descriptors = true;
    os::popen kept{{"sh", "-c", script}, keep};
    const int is_kept = co_await kept.join();
    CHECK(is_kept == 0);
}

task<> signals_of_programs() {
    ::signal(SIGPIPE, SIG_IGN);
    popen_options options{stdio::null(), stdio::null(), stdio::null()};
    const popen_result broken = co_await output_of("kill -PIPE $$", options);
    CHECK(broken.exit_code == -SIGPIPE);
    auto waiting = spawn([]() -> task<> { co_await until_signal(SIGTERM); });
    co_await yield();
    const popen_result terminated = co_await output_of("kill -TERM $$", options);
    CHECK(terminated.exit_code == -SIGTERM);
    waiting.cancel();
    co_await waiting.join();
}

task<> refusals() {
    CHECK_THROWS_WITH((os::popen{{"no-such-program"}}), "cannot run 'no-such-program': No such file or directory");
    CHECK_THROWS_WITH((os::popen{{"/etc/passwd"}, all_pipes()}), "cannot run '/etc/passwd': Permission denied");
    popen_options nowhere;
    nowhere.directory = "/no/such/directory";
    CHECK_THROWS_WITH((os::popen{{"true"}, nowhere}),
                      "cannot run 'true' in '/no/such/directory': No such file or directory");
    CHECK_THROWS_AS(os::popen{std::vector<std::string>{}}, std::invalid_argument);
    // What follows a zero byte would be lost.
    using namespace std::string_literals;
    CHECK_THROWS_WITH((os::popen{{"true\0x"s}}), "popen: the program's name has a zero byte in it");
    CHECK_THROWS_WITH((os::popen{{"rm", "old", "report\0.bak"s}}), "popen: argument 2 has a zero byte in it");
    popen_options cut;
    cut.directory = "/tmp\0/x"s;
    CHECK_THROWS_WITH((os::popen{{"true"}, cut}), "popen: the directory has a zero byte in it");
    cut.directory = std::nullopt;
    cut.environment = std::vector{"A=1"s, "PATH=/bin\0:/x"s};
    CHECK_THROWS_AS((os::popen{{"true"}, cut}), std::invalid_argument);
    CHECK_THROWS_WITH((os::popen{{"true"}, cut}), "popen: 'PATH' of the environment has a zero byte in it");
    os::popen no_input{{"true"}};
    const std::string no_pipe = co_await fate(no_input.communicate("text"));
    CHECK(no_pipe == "communicate: the program's input is no pipe");
}

task<> unread_input() {
    const std::string text(1'000'000, 'x');
    os::popen uninterested{{"true"}, popen_options::pipes()};
    const popen_result done = co_await uninterested.communicate(text);
    CHECK(done.exit_code == 0);
    os::popen head{{"head", "-c", "5"}, popen_options::pipes()};
    const popen_result some = co_await head.communicate(text);
    CHECK(some.output == "xxxxx");
}

task<> limits() {
    os::popen yes{{"yes"}, popen_options{stdio::null(), stdio::pipe(), stdio::inherit()}};
    const std::string too_much = co_await fate(yes.communicate("", 100'000));
    CHECK(too_much == "a pipe gave more than 100000 bytes: Message too long");
    const int code = co_await yes.join();  // nobody reads any more
    CHECK(code == -SIGPIPE);
    os::popen exact{{"printf", "12345"}, popen_options{stdio::null(), stdio::pipe(), stdio::inherit()}};
    const popen_result fits = co_await exact.communicate("", 5);
    CHECK(fits.output == "12345");
    os::popen sleeper{{"sleep", "1000"}, all_pipes()};
    const std::string late = co_await fate(with_timeout(5ms, sleeper.communicate("words")));
    CHECK(late.find("time limit of 5 ms exceeded") != late.npos);
    CHECK(sleeper.running());  // and ended by the destructor
}

}  // namespace

TEST_CASE("communicate moves much data both ways", "[os][popen]") {
    const no_children_left check;
    run(both_ways);
}
TEST_CASE("a program's streams can be awaited", "[os][popen]") {
    const no_children_left check;
    run(streams);
}
TEST_CASE("a program's streams go where they are told", "[os][popen]") {
    const no_children_left check;
    run(where_streams_go);
}
TEST_CASE("a program gets directory, environment, group and no descriptors", "[os][popen]") {
    const no_children_left check;
    run(surroundings);
}
TEST_CASE("a program has the signals' default actions", "[os][popen]") {
    const no_children_left check;
    run(signals_of_programs);
}
TEST_CASE("a program that cannot be run is an error", "[os][popen]") {
    const no_children_left check;
    run(refusals);
}
TEST_CASE("a program need not read its input", "[os][popen]") {
    const no_children_left check;
    run(unread_input);
}
TEST_CASE("communicate has limits", "[os][popen]") {
    const no_children_left check;
    run(limits);
}
