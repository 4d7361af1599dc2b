#include "apply/confirm/confirmation.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <array>
#include <catch2/catch.hpp>
#include <thread>

#include "apply/confirm/rendezvous.hpp"
#include "apply/state.hpp"
#include "fake_kernel.hpp"

using namespace topo;
using topo::test::Folder;
using State = Confirmation::State;
using What = rendezvous::Found::What;

namespace {

/// The process that holds an earlier state, as far as others see it: it answers one question, in so many words.
class Answerer {
 public:
  Answerer(const std::string& folder, std::vector<Confirmation> answers) : listener_(*rendezvous::listen(folder, "lab")) {
    ::fcntl(listener_.get(), F_SETFL, 0);
    thread_ = std::thread([this, answers = std::move(answers)] {
      const kernel::FileDescriptor client(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      std::array<char, 64> words{};
      const ssize_t got = ::recv(client.get(), words.data(), words.size(), 0);
      asked_.assign(words.data(), got < 0 ? 0 : static_cast<std::size_t>(got));
      for (const auto& answer : answers) {
        const std::string message = to_message(answer);
        (void)!::send(client.get(), message.data(), message.size(), MSG_NOSIGNAL);
      }
    });
  }
  std::string asked() {
    thread_.join();
    return asked_;
  }

 private:
  kernel::FileDescriptor listener_;
  std::string asked_;
  std::thread thread_;
};

DemandOptions options_for(const Folder& folder) {
  DemandOptions options;
  options.folder = folder.path();
  options.lock_timeout = std::chrono::milliseconds(70);
  return options;
}

}  // namespace

TEST_CASE("a confirmation comes back as a message") {
  const Confirmation said{State::waiting, std::chrono::milliseconds(1234), 99, 42, Error{Exit::locked, "locked", {}, {}, {}, {"by whom"}}};
  const std::string message = to_message(said) + to_message({State::taken_back, {}, 7, 0, {}});
  std::string_view rest = message;
  const auto first = take_message(rest), second = take_message(rest);
  REQUIRE((first && second && first->trouble));
  CHECK(first->state == State::waiting);
  CHECK((first->left == said.left && first->when == 99 && first->process == 42));
  CHECK(first->trouble->to_string() == said.trouble->to_string());
  CHECK(second->state == State::taken_back);
  CHECK_FALSE(second->trouble);
  std::string_view half = std::string_view(message).substr(0, 9);
  CHECK_FALSE(take_message(half));
}

TEST_CASE("where nothing is there nothing waits") {
  const Folder folder;
  CHECK(confirmation_of("lab", folder.path()).state == State::none);
  CHECK_FALSE(pending_error("lab", folder.path()));
  CHECK_FALSE(std::filesystem::exists(folder.path()));
  CHECK(rendezvous::topologies(folder.path()).empty());
  CHECK(rendezvous::clear(folder.path(), "lab"));
  CHECK(rendezvous::find(folder.path(), "../lab").what == What::nothing);
}

TEST_CASE("a process that answers is asked, and what it says is told") {
  const Folder folder;
  SECTION("what is known") {
    Answerer process(folder.path(), {{State::taking_back, {}, 0, 42, {}}});
    CHECK(confirmation_of("lab", folder.path()).state == State::taking_back);
    CHECK(process.asked() == "tell\n");
  }
  SECTION("that it is pending") {
    const auto silent = rendezvous::listen(folder.path(), "lab");
    const auto error = pending_error("lab", folder.path());
    REQUIRE(error);
    CHECK(error->exit == Exit::conflict);
    CHECK(error->remedy == "topo confirm lab keeps it, topo rollback lab takes it back");
  }
  SECTION("to keep") {
    Answerer process(folder.path(), {{State::kept, {}, 0, 0, {}}});
    const auto known = keep_change("lab", options_for(folder));
    REQUIRE(known);
    CHECK(known->state == State::kept);
    CHECK(process.asked() == "keep\n");
  }
  SECTION("to take back, which is waited for") {
    Answerer process(folder.path(), {{State::taking_back, {}, 0, 42, {}}, {State::taken_back, {}, 77, 0, {}}});
    const auto known = take_change_back("lab", options_for(folder));
    REQUIRE(known);
    CHECK((known->state == State::taken_back && known->when == 77));
    CHECK(process.asked() == "take back 70\n");
  }
}

TEST_CASE("what a process leaves tells how it ended") {
  const Folder folder;
  REQUIRE(rendezvous::listen(folder.path(), "lab"));  // and closed at once, as by kill -9
  struct stat status {};
  REQUIRE(::lstat((folder.path() + "/lab.confirm").c_str(), &status) == 0);
  CHECK((S_ISSOCK(status.st_mode) && (status.st_mode & 0777U) == 0600));
  CHECK(rendezvous::topologies(folder.path()) == std::vector<std::string>{"lab"});
  CHECK(confirmation_of("lab", folder.path()).state == State::abandoned);
  CHECK_FALSE(pending_error("lab", folder.path()));

  SECTION("killed: nobody goes back, and whoever says so keeps the change") {
    CHECK(take_change_back("lab", options_for(folder))->state == State::abandoned);
    CHECK(rendezvous::find(folder.path(), "lab").what == What::socket);
    {
      const auto locks = Locks::take(folder.path(), "lab", std::chrono::milliseconds(0), {});
      REQUIRE(locks);
      const auto known = keep_change("lab", options_for(folder));  // somebody may be going back even now
      REQUIRE_FALSE(known);
      CHECK(known.error().exit == Exit::locked);
    }
    CHECK(keep_change("lab", options_for(folder))->state == State::abandoned);
    CHECK(rendezvous::find(folder.path(), "lab").what == What::nothing);
  }
  SECTION("taken back: that is noted, until it is cleared") {
    REQUIRE(rendezvous::leave_note(folder.path(), "lab"));
    CHECK(rendezvous::find(folder.path(), "lab").what == What::note);
    CHECK(rendezvous::topologies(folder.path()) == std::vector<std::string>{"lab"});
    const auto known = keep_change("lab", options_for(folder));
    REQUIRE(known);
    CHECK((known->state == State::taken_back && known->when > 0));
    REQUIRE(rendezvous::clear(folder.path(), "lab"));
    CHECK(keep_change("lab", options_for(folder))->state == State::none);
  }
  SECTION("destroyed: nothing is left") {
    REQUIRE(forget("lab", folder.path()));
    CHECK(std::filesystem::is_empty(folder.path()));
  }
}

TEST_CASE("nothing but a socket in a folder of topo's own is asked") {
  const Folder folder;
  const auto listener = rendezvous::listen(folder.path(), "lab");
  REQUIRE(listener);
  SECTION("a link") {
    std::filesystem::rename(folder.path() + "/lab.confirm", folder.path() + "/elsewhere");
    std::filesystem::create_symlink("elsewhere", folder.path() + "/lab.confirm");
  }
  SECTION("a folder that others may write to") { REQUIRE(::chmod(folder.path().c_str(), 0777) == 0); }
  SECTION("a link to the folder") {
    std::filesystem::rename(folder.path(), folder.path() + "2");
    std::filesystem::create_symlink("topo2", folder.path());
  }
  CHECK(rendezvous::find(folder.path(), "lab").what == What::nothing);
  CHECK(confirmation_of("lab", folder.path()).state == State::none);
}

TEST_CASE("a place that is somebody's by now is taken") {
  const Folder folder;
  const auto first = rendezvous::listen(folder.path(), "lab");
  REQUIRE(first);
  const auto inode = rendezvous::find(folder.path(), "lab").inode;
  const auto second = rendezvous::listen(folder.path(), "lab");
  REQUIRE(second);
  CHECK(rendezvous::find(folder.path(), "lab").inode != inode);
  CHECK(rendezvous::connect(folder.path(), "lab"));
  std::filesystem::create_directory(folder.path() + "/other.confirm");
  const auto refused = rendezvous::listen(folder.path(), "other");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().where == folder.path() + "/other.confirm");
  CHECK_FALSE(std::filesystem::exists(folder.path() + "/other.confirm.new"));
}
