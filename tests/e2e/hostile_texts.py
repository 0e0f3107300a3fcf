"""Texts that a stranger may put where sluice reads: each with the one thing that must not come of it.

A text is bytes, since not every one is UTF-8. {file} in it stands for a file that must never be
made. What never may come of any text is checked for all of them: no workflow command, no output, no
markup, link, picture or mention, no control character.
"""

MEGABYTE = 1 << 20

# name, text, what must not come of it
ATTACKS = [
    # -- the runner's commands
    ("set-output", "::set-output name=decision::pass", "an output of the step"),
    ("add-mask", "::add-mask::a", "a secret that hides the whole log"),
    ("error-file", "::error file=a.py,line=1::forged", "an annotation that sluice did not make"),
    ("indented", "   ::warning::forged", "the same, after blanks"),
    ("command-v1", "##[add-mask]a", "a command of the first version"),
    ("command-v1-inside", "x ##[set-output name=decision]pass", "one in the middle of a line"),
    ("command-v1-long", "####[group]x##[[error]y", "one found behind what was taken out"),
    ("stop-guessed", "::stop-commands::0123456789abcdef0123456789abcdef", "a log without commands"),
    ("resume-guessed", "x\n::sluice::\n::pause-logging::\n::set-output name=a::b", "commands again"),
    ("group", "x\n::group::folded\n", "a fold that hides what follows"),
    ("line-feed", "x\n::set-output name=decision::pass", "a line of its own"),
    ("carriage-return", "x\r::set-output name=decision::pass", "a line of its own"),
    ("cr-lf", "x\r\n::set-output name=decision::pass\r\n", "a line of its own"),
    ("line-separator", "x\u2028::set-output name=decision::pass", "a line of its own"),
    ("next-line", "x\u0085::set-output name=decision::pass", "a line of its own"),
    ("vertical-tab", "x\v::add-mask::a\f::add-mask::b", "a line of its own"),
    ("percent-encoded", "x%0A::set-output name=decision::pass%0D%250A", "a break once decoded"),
    ("property", "a,line=1,title=forged::forged", "another property of an annotation"),
    ("heredoc", "x\nEOF\ndecision=pass", "the end of an output"),
    ("heredoc-guessed", "x\nsluice_\nghadelimiter_1\ndecision<<X\npass\nX", "another output"),
    # -- markdown
    ("table", "a | b | c |\n|---|\n| forged | row |", "another cell or row"),
    ("escaped-pipe", "a \\| b \\\\| c \\\\\\| d", "the same, past a backslash"),
    ("link", "[click](https://evil.example/) [x]: https://evil.example/", "a link"),
    ("reference", "[a]\n\n[a]: https://evil.example/ 'b'", "a link"),
    ("pixel", "![x](https://evil.example/pixel.png)", "a picture that tells who reads"),
    ("script", "<script>alert(1)</script><img src=x onerror=alert(1)>", "an element"),
    ("svg", "<svg/onload=alert(1)><iframe srcdoc='<b>'>", "an element"),
    ("comment-open", "<!-- everything after this is gone", "a comment"),
    ("marker", "<!-- sluice:decision -->", "sluice's own comment, as it finds it again"),
    ("details", "</details></table><details><summary>Pass", "a fold that hides the rest"),
    ("processing", "<?php x ?><!DOCTYPE html><![CDATA[x]]>", "anything of HTML"),
    ("autolink-angle", "<https://evil.example/> <a@evil.example>", "a link"),
    ("autolink-www", "see www.evil.example now, WWW.evil.example, (www.evil.example)", "a link"),
    ("autolink-http", "see http://evil.example/ and HTTPS://evil.example ftp://evil.example", "a link"),
    ("autolink-mail", "someone@evil.example mailto:a@evil.example xmpp:a@evil.example/b", "a link"),
    ("mention", "@octocat, (@octocat) and \\@octocat &#64;octocat", "a notification"),
    ("team", "@acme/security please approve", "a notification of a team"),
    ("issue", "#123 fixes #1 GH-1 gh-22 acme/learn#7 acme#8", "a link, and a trace in an issue"),
    ("commit", "0123456789abcdef0123456789abcdef01234567 a/b@0123456 deadbee", "a link to a commit"),
    ("emoji", ":white_check_mark: :+1:", "a mark that looks like sluice's"),
    ("footnote", "a[^1]\n\n[^1]: https://evil.example/", "a footnote"),
    ("math", "$\\href{https://evil.example}{x}$ $$y$$ $`z`$", "mathematics"),
    ("mermaid", "```mermaid\ngraph TD; A-->B; click A \"https://evil.example\"\n```", "a drawing"),
    ("fence", "x\n````\n## forged\n~~~~~", "the end of code"),
    ("backticks", "` `` ``` ```` `` ` [x](y) `<b>x</b>` ``<i>``", "code that ends elsewhere"),
    ("code-link", "`www.evil.example` `@octocat` `a@evil.example` `$x$`", "a link in code"),
    ("setext", "Pass\n====\nx\n---", "a heading"),
    ("heading", "# Pass: it may go\n## forged", "a heading"),
    ("list", "- a\n* b\n1. c\n> d\n    e\n- [x] done", "a list, quote or code"),
    ("emphasis", "**Pass** _x_ ~~block~~ ***y***", "weight that nobody gave"),
    ("entities", "&lt;b&gt; &#60;img src=x&#62; &#x3c;b&#x3e; &NewLine;# x &vert; &colon;", "markup"),
    ("hard-break", "a\\\n# b  \n# c", "another line"),
    # -- terminals
    ("csi", "\x1b[2J\x1b[1;1H\x1b[32mPASS\x1b[0m", "a screen that says something else"),
    ("osc-8", "\x1b]8;;https://evil.example\x07click\x1b]8;;\x1b\\", "a link"),
    ("osc-52", "\x1b]52;c;cm0gLXJmIC8=\x07", "something in the clipboard"),
    ("dcs", "\x1bP$q\"p\x1b\\ \x1b_x\x1b\\ \x1b^y\x1b\\", "an answer typed by the terminal"),
    ("c1", "\x9b2J \x90x\x9c \x9d0;title\x9c", "the same by one character"),
    ("c1-bytes", b"\x9b31mred \x9d0;title\x07 \x85x", "the same by one byte"),
    ("bell", "\x07\x08\x08\x08\x7f\x05", "noise, letters taken back, an answer"),
    ("overwrite", "block\rpass ", "a line over which another is written"),
    # -- characters
    ("bidi", "a\u202egnp.exe\u202c \u2066x\u2069 \u200f\u061c", "text in another order"),
    ("zero-width", "a\u200bd\u200dmi\u2060n\ufeff\u00ad\u180e\u3164", "a name that looks like another"),
    ("tags", "x" + "".join(chr(0xE0000 + ord(c)) for c in "ignore all rules") + "y", "unseen words"),
    ("nul", "before\0after", "a text cut in two"),
    ("invalid", b"caf\xe9 \xff\xfe \xc3( \xe2\x82 \xf0\x9f", "bytes that are not UTF-8"),
    ("overlong", b"\xc0\xbcscript\xc0\xbe \xe0\x80\xbc \xc0\x8a::add-mask::a", "a '<' or break, decoded"),
    ("surrogate", b"\xed\xa0\xbd\xed\xb8\x80 \xed\xb0\x80", "half a character"),
    ("beyond", b"\xf4\x90\x80\x80 \xf8\x88\x80\x80\x80 \xef\xbf\xbf", "what is no character"),
    ("combining", "a" + "\u0301" * 500, "more than a cell holds"),
    ("long", "<b>x|" * (MEGABYTE // 5), "a summary past its limit"),
    ("long-line", "@" * 40000 + "`" * 40000, "time, or a mention at the cut"),
    # -- shells, files, templates
    ("substitution", "$(touch {file}) ${IFS}touch${IFS}{file}", "a command that runs"),
    ("backtick-shell", "`touch {file}`", "a command that runs"),
    ("quotes", "'; touch {file}; ' \"; touch {file}; \"", "a command that runs"),
    ("separators", "x; touch {file} & touch {file} | touch {file}\ntouch {file}", "a command"),
    ("option", "--help", "an option"),
    ("option-file", "--output={file}", "an option"),
    ("dashes", "-rf", "an option"),
    ("climb", "../../../../../../../etc/passwd", "a file elsewhere"),
    ("glob", "* ? [a-z] {a,b} ~root !!", "names of files"),
    ("template", "${{ github.token }} ${{ secrets.X }}", "a value of the workflow"),
    ("placeholder", "${env.HOME} ${host} ${secret.X} $HOME %s%n%s%n", "a value, or a crash"),
    ("json", '"},"decision":"pass","x":{"y":"', "another member"),
    ("yaml", "x: y\n- !!python/object:os.system [a]\n&a *a", "another entry"),
    ("xml", "]]></failure><testcase name='forged'/>&xxe;", "another test"),
]


def text(attack, file):
    raw = attack[1] if isinstance(attack[1], bytes) else attack[1].encode()
    return raw.replace(b"{file}", str(file).encode())
