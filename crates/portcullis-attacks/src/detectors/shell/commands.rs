//! Commands and what usually follows them.

/// How much a command's name says by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rarity {
    /// Not a word of any language: `whoami`, `ifconfig`.
    Rare,
    /// A word or an abbreviation with other meanings: `cat`, `id`, `ls`.
    Word,
    /// A word that also names fields and columns: `date`, `type`, `last`.
    Everyday,
    /// Runs the command that follows it: `sudo`, `nohup`.
    Prefix,
}

/// What may follow a command; sets of [`Fits`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fits(pub(super) u16);

impl Fits {
    pub(super) const BARE: Self = Self(1);
    pub(super) const OPTION: Self = Self(1 << 1);
    pub(super) const PATH: Self = Self(1 << 2);
    pub(super) const HOST: Self = Self(1 << 3);
    pub(super) const NUMBER: Self = Self(1 << 4);
    /// A name with an ending: `shell.php`.
    pub(super) const FILE: Self = Self(1 << 5);
    /// A quoted text, a variable, a substitution.
    pub(super) const EXPANSION: Self = Self(1 << 6);
    pub(super) const REDIRECT: Self = Self(1 << 7);
    /// One word that is the last of the command.
    pub(super) const LAST_WORD: Self = Self(1 << 8);
    /// A word that the command knows: `net user`, `reg query`.
    pub(super) const SUBCOMMAND: Self = Self(1 << 9);
    pub(super) const NONE: Self = Self(0);

    pub(super) const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(super) const fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    pub(super) const fn both(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

/// A command that attackers run first.
#[derive(Clone, Copy, Debug)]
pub(super) struct Command {
    pub(super) rarity: Rarity,
    pub(super) fits: Fits,
    pub(super) subcommands: &'static [&'static str],
}

const fn rare(fits: Fits) -> Command {
    Command { rarity: Rarity::Rare, fits, subcommands: &[] }
}

const fn word(fits: Fits) -> Command {
    Command { rarity: Rarity::Word, fits, subcommands: &[] }
}

const fn everyday(fits: Fits) -> Command {
    Command { rarity: Rarity::Everyday, fits, subcommands: &[] }
}

const fn with(rarity: Rarity, subcommands: &'static [&'static str]) -> Command {
    Command { rarity, fits: Fits::SUBCOMMAND.or(Fits::OPTION), subcommands }
}

const PREFIX: Command = Command { rarity: Rarity::Prefix, fits: Fits::NONE, subcommands: &[] };

const BARE: Fits = Fits::BARE;
const OPTION: Fits = Fits::OPTION;
const PATHS: Fits = Fits::PATH.or(Fits::FILE).or(Fits::OPTION).or(Fits::EXPANSION);
const READ: Fits = PATHS.or(Fits::REDIRECT);
const NET: Fits = Fits::HOST.or(Fits::OPTION).or(Fits::EXPANSION);
const SHELL: Fits = OPTION.or(Fits::PATH).or(Fits::BARE).or(Fits::REDIRECT).or(Fits::FILE);
const SAYS: Fits = Fits::EXPANSION.or(Fits::REDIRECT).or(Fits::LAST_WORD).or(OPTION).or(Fits::NUMBER);
const LISTS: Fits = BARE.or(PATHS).or(Fits::REDIRECT);
const ASKS: Fits = BARE.or(OPTION).or(Fits::REDIRECT);

/// Commands of Windows, which takes them in capitals too.
pub(super) fn is_of_windows(name: &[u8]) -> bool {
    const NAMES: [&[u8]; 14] = [
        b"dir", b"type", b"net", b"reg", b"copy", b"del", b"ping", b"echo", b"set", b"ver", b"move",
        b"start", b"sc", b"net1",
    ];
    NAMES.contains(&name)
}

/// The command of that name; names are in lower case, without directory and without `.exe`.
pub(super) fn known(name: &[u8]) -> Option<Command> {
    let name = std::str::from_utf8(name).ok()?;
    Some(match name {
        "whoami" | "ifconfig" | "systeminfo" | "printenv" | "lsof" | "lscpu" | "lsblk" | "hostnamectl"
        | "lsb_release" | "netstat" | "ipconfig" | "tasklist" | "arp" | "getmac" | "qwinsta" | "dmesg"
        | "iptables" | "crontab" | "uname" => rare(ASKS),
        "wget" | "curl" | "nslookup" | "tftp" | "ncat" | "netcat" | "socat" | "telnet" | "ftp" | "scp"
        | "traceroute" | "tracert" | "rsync" | "fetch" | "lynx" | "aria2c" | "getent" | "nmap" | "ssh"
        | "iwr" => {
            rare(NET.or(Fits::PATH).or(Fits::NUMBER).or(Fits::FILE).or(Fits::SUBCOMMAND).or(Fits::LAST_WORD))
        }
        "ping" | "ping6" | "host" | "dig" | "whois" => word(NET.or(Fits::LAST_WORD)),
        "nc" => word(OPTION.or(Fits::HOST)),
        "cat" | "tac" | "nl" | "xxd" | "hexdump" | "strings" | "tee" | "awk" | "gawk" | "sed" | "grep"
        | "egrep" | "zcat" | "bzcat" | "od" | "rev" | "base64" | "base32" | "dd" | "source" | "uniq"
        | "vi" | "vim" | "nano" => word(READ),
        "more" | "less" | "head" | "tail" | "sort" | "cut" | "type" | "paste" | "join" | "file" | "strip"
        | "test" | "open" | "start" | "copy" | "move" | "fold" | "comm" | "diff" | "look" => {
            everyday(Fits::PATH.or(OPTION).or(Fits::REDIRECT))
        }
        "ls" | "dir" | "pwd" | "id" | "w" | "who" | "env" | "df" | "du" | "lastlog" => word(LISTS),
        "ps" => Command {
            rarity: Rarity::Word,
            fits: LISTS.or(Fits::SUBCOMMAND),
            subcommands: &["aux", "ef", "auxf", "auxww"],
        },
        "groups" | "users" => everyday(LISTS),
        "sh" | "ash" => word(ASKS.or(Fits::PATH)),
        "set" | "date" | "last" | "top" | "history" | "ver" | "hostname" | "uptime" | "free" | "mount"
        | "export" | "alias" | "jobs" | "logname" | "tree" | "cal" | "help" | "ip" => {
            everyday(ASKS.or(Fits::PATH))
        }
        "bash" | "zsh" | "ksh" | "dash" | "csh" | "tcsh" | "fish" | "busybox" => rare(SHELL),
        "sleep" | "kill" | "usleep" => word(Fits::NUMBER.or(Fits::EXPANSION)),
        "echo" | "printf" | "expr" | "seq" | "yes" => word(SAYS),
        "rm" | "mv" | "cp" | "ln" | "mkdir" | "rmdir" | "touch" | "find" | "cd" | "tar" | "zip" | "unzip"
        | "gzip" | "install" | "locate" | "which" | "whereis" | "install.sh" | "del" | "erase" | "rd"
        | "md" | "ren" | "attrib" | "unlink" => word(PATHS),
        "chmod" | "chown" | "chattr" | "mkfifo" | "mknod" | "useradd" | "adduser" | "usermod" | "passwd"
        | "xcopy" | "robocopy" | "mkpasswd" | "setfacl" | "visudo" => {
            rare(PATHS.or(Fits::NUMBER).or(Fits::LAST_WORD))
        }
        "python" | "python2" | "python3" | "perl" | "php" | "ruby" | "node" | "nodejs" | "lua" | "java"
        | "gcc" | "make" | "tclsh" | "go" | "npm" | "pip" | "gdb" | "openssl" | "git" | "docker"
        | "kubectl" | "mysql" | "psql" | "sqlite3" | "redis-cli" => {
            word(OPTION.or(Fits::PATH).or(Fits::REDIRECT))
        }
        "cmd" | "command.com" | "cscript" | "wscript" | "rundll32" | "regsvr32" | "mshta" | "msiexec"
        | "certutil" | "bitsadmin" | "powershell" | "pwsh" | "installutil" | "msbuild" | "forfiles"
        | "schtasks" | "wevtutil" | "vssadmin" | "icacls" | "takeown" => {
            rare(OPTION.or(Fits::PATH).or(Fits::HOST).or(Fits::EXPANSION).or(Fits::SUBCOMMAND))
        }
        "shutdown" | "reboot" | "halt" | "poweroff" | "killall" | "pkill" => word(OPTION.or(BARE)),
        "net" | "net1" => with(
            Rarity::Word,
            &[
                "user",
                "users",
                "view",
                "localgroup",
                "group",
                "share",
                "start",
                "stop",
                "use",
                "accounts",
                "session",
                "config",
                "time",
            ],
        ),
        "wmic" => with(
            Rarity::Rare,
            &["process", "os", "logicaldisk", "useraccount", "cpu", "service", "product", "qfe"],
        ),
        "reg" => with(Rarity::Word, &["query", "add", "delete", "export", "save"]),
        "netsh" => with(Rarity::Rare, &["interface", "firewall", "wlan", "advfirewall", "int"]),
        "sc" => with(Rarity::Word, &["query", "config", "start", "stop", "create", "qc"]),
        "service" | "systemctl" => with(Rarity::Word, &["status", "start", "stop", "restart", "list-units"]),
        "apt" | "apt-get" | "yum" | "apk" | "dnf" | "dpkg" | "rpm" | "brew" => {
            with(Rarity::Word, &["install", "update", "list"])
        }
        "sudo" | "nohup" | "timeout" | "xargs" | "exec" | "command" | "time" | "nice" | "builtin"
        | "eval" | "setsid" | "strace" | "stdbuf" | "watch" | "then" | "do" | "else" | "if" | "while"
        | "doas" | "su" => PREFIX,
        _ => return None,
    })
}
