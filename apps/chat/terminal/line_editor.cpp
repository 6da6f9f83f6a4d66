// SPDX-License-Identifier: MIT
#include "chat/terminal/line_editor.hpp"

#include "chat/terminal/clusters.hpp"
#include "common/utf8.hpp"

#include <histedit.h>

#include <cerrno>
#include <cstdio>
#include <new>
#include <stdexcept>
#include <utility>

#include <locale.h>

namespace chat {
namespace {

constexpr int history_lines_max = 500;
constexpr std::size_t characters_max = 8192;

struct closing {
    void operator()(std::FILE* file) const noexcept { std::fclose(file); }
    void operator()(::editline* editor) const noexcept { ::el_end(editor); }
    void operator()(::historyW* history) const noexcept { ::history_wend(history); }
};
template <class T>
using owned = std::unique_ptr<T, closing>;

owned<std::FILE> open(const char* path, const char* mode) {
    owned<std::FILE> file{std::fopen(path, mode)};
    if (!file) throw std::runtime_error{std::string{"cannot open "} + path};
    return file;
}

// What a word is, and which bytes are characters, libedit asks the locale; ours is always UTF-8.
class utf8_locale {
public:
    utf8_locale() noexcept : locale_{::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr)} {}
    utf8_locale(const utf8_locale&) = delete;
    utf8_locale& operator=(const utf8_locale&) = delete;
    ~utf8_locale() {
        if (locale_) ::freelocale(locale_);
    }
    ::locale_t get() const noexcept { return locale_; }

private:
    ::locale_t locale_;
};

class using_locale {
public:
    explicit using_locale(const utf8_locale& wanted) noexcept : before_{::uselocale(wanted.get())} {}
    using_locale(const using_locale&) = delete;
    using_locale& operator=(const using_locale&) = delete;
    ~using_locale() { ::uselocale(before_); }

private:
    ::locale_t before_;
};

line_editor& owner_of(::EditLine* editor) noexcept {
    void* owner = nullptr;
    ::el_wget(editor, EL_CLIENTDATA, &owner);
    return *static_cast<line_editor*>(owner);
}

std::wstring_view text_of(::EditLine* editor) noexcept {
    const ::LineInfoW* line = ::el_wline(editor);
    return {line->buffer, static_cast<std::size_t>(line->lastchar - line->buffer)};
}

std::size_t cursor_of(::EditLine* editor) noexcept {
    const ::LineInfoW* line = ::el_wline(editor);
    return static_cast<std::size_t>(line->cursor - line->buffer);
}

std::size_t to_left(::EditLine* editor) noexcept {
    const std::size_t at = cursor_of(editor);
    return at - cluster_before(text_of(editor), at);
}

std::size_t to_right(::EditLine* editor) noexcept {
    const std::size_t at = cursor_of(editor);
    return cluster_after(text_of(editor), at) - at;
}

unsigned char move_left(::EditLine* editor, std::wint_t) {
    ::el_cursor(editor, -static_cast<int>(to_left(editor)));
    return CC_REFRESH;
}

unsigned char move_right(::EditLine* editor, std::wint_t) {
    ::el_cursor(editor, static_cast<int>(to_right(editor)));
    return CC_REFRESH;
}

unsigned char erase_left(::EditLine* editor, std::wint_t) {
    ::el_deletestr(editor, static_cast<int>(to_left(editor)));
    return CC_REFRESH;
}

unsigned char erase_right(::EditLine* editor, std::wint_t) {
    const auto characters = static_cast<int>(to_right(editor));
    ::el_cursor(editor, characters);
    ::el_deletestr(editor, characters);
    return CC_REFRESH;
}

}  // namespace

struct line_editor::library {
    library(line_editor& owner, int terminal)
        : nothing_in{open("/dev/null", "re")}, nothing_out{open("/dev/null", "we")}, history{::history_winit()} {
        const using_locale here{locale};
        editor.reset(::el_init_fd("ringlet-chat", nothing_in.get(), nothing_out.get(), nothing_out.get(), terminal,
                                  terminal, terminal));
        if (!editor || !history) throw std::bad_alloc{};
        ::HistEventW event;
        ::history_w(history.get(), &event, H_SETSIZE, history_lines_max);
        ::history_w(history.get(), &event, H_SETUNIQUE, 1);
        ::el_wset(editor.get(), EL_CLIENTDATA, &owner);
        ::el_wset(editor.get(), EL_EDITOR, L"emacs");
        ::el_wset(editor.get(), EL_HIST, ::history_w, history.get());
        ::el_wset(editor.get(), EL_GETCFN, &library::next_key);
        bind_keys();
        ::el_wset(editor.get(), EL_UNBUFFERED, 1);
        // It has seen its terminal, and keeps its hands off it from here on.
        ::el_wset(editor.get(), EL_SETFP, 0, nothing_in.get());
        ::el_wset(editor.get(), EL_SETFP, 1, nothing_out.get());
    }

    void add(const wchar_t* name, unsigned char (*function)(::EditLine*, std::wint_t)) {
        ::el_wset(editor.get(), EL_ADDFN, name, name, function);
    }
    void bind(const wchar_t* key, const wchar_t* name) {
        ::el_wset(editor.get(), EL_BIND, key, name, static_cast<const wchar_t*>(nullptr));
    }
    void bind_keys() {
        add(L"chat-left", &move_left);
        add(L"chat-right", &move_right);
        add(L"chat-erase-left", &erase_left);
        add(L"chat-erase-right", &erase_right);
        add(L"chat-enter", &library::enter);
        add(L"chat-end", &library::end_or_erase);
        add(L"chat-clear", &library::clear);
        bind(L"^B", L"chat-left");
        bind(L"^F", L"chat-right");
        bind(L"^H", L"chat-erase-left");
        bind(L"^?", L"chat-erase-left");
        bind(L"^]", L"chat-erase-right");
        bind(L"^D", L"chat-end");
        bind(L"^J", L"chat-enter");
        bind(L"^M", L"chat-enter");
        bind(L"^L", L"chat-clear");
        bind(L"^\\", L"ed-start-over");
        bind(L"^I", L"ed-insert");
        bind(L"^A", L"ed-move-to-beg");
        bind(L"^E", L"ed-move-to-end");
        bind(L"^K", L"ed-kill-line");
        bind(L"^U", L"vi-kill-line-prev");
        bind(L"^W", L"ed-delete-prev-word");
        bind(L"^Y", L"em-yank");
        bind(L"^P", L"ed-prev-history");
        bind(L"^N", L"ed-next-history");
    }

    static int next_key(::EditLine* editor, wchar_t* into) {
        auto& keys = owner_of(editor).keys_;
        if (keys.empty()) {
            errno = EAGAIN;
            return -1;
        }
        *into = keys.front();
        keys.pop_front();
        return 1;
    }
    static unsigned char enter(::EditLine* editor, std::wint_t) {
        owner_of(editor).finish_line();
        return CC_NORM;
    }
    static unsigned char end_or_erase(::EditLine* editor, std::wint_t key) {
        if (!text_of(editor).empty()) return erase_right(editor, key);
        owner_of(editor).end_input();
        return CC_NORM;
    }
    static unsigned char clear(::EditLine* editor, std::wint_t) {
        owner_of(editor).clear_screen();
        return CC_NORM;
    }

    utf8_locale locale;
    owned<std::FILE> nothing_in;
    owned<std::FILE> nothing_out;
    owned<::historyW> history;
    owned<::editline> editor;
};

line_editor::line_editor(int terminal) : library_{std::make_unique<library>(*this, terminal)} {}
line_editor::~line_editor() = default;

void line_editor::type(std::string_view bytes) {
    for (const wchar_t key : decoder_.decode(bytes)) keys_.push_back(key);
    const using_locale here{library_->locale};
    while (!keys_.empty() && !ended_) {
        const bool inserts = keys_.front() >= 0x20 && keys_.front() != key::erase;
        if (inserts && is_full()) {
            keys_.pop_front();
            ++refused_;
            continue;
        }
        int ignored = 0;
        ::el_wgets(library_->editor.get(), &ignored);
    }
}

void line_editor::finish_line() {
    const std::wstring line{text()};
    keys_.push_front(key::start_over);
    if (line.empty()) return;
    std::string utf8;
    for (const wchar_t c : line) apps::append_utf8(utf8, static_cast<char32_t>(c));
    lines_.push_back(std::move(utf8));
    ::HistEventW event;
    ::history_w(library_->history.get(), &event, H_ENTER, line.c_str());
}

bool line_editor::is_full() const noexcept { return text().size() >= characters_max; }
std::size_t line_editor::take_refused() noexcept { return std::exchange(refused_, 0); }
bool line_editor::take_clear_screen() noexcept { return std::exchange(clear_screen_, false); }
std::wstring_view line_editor::text() const noexcept { return text_of(library_->editor.get()); }
std::size_t line_editor::cursor() const noexcept { return cursor_of(library_->editor.get()); }

}  // namespace chat
