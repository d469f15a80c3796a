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
    Some(match name {
        b"whoami" | b"ifconfig" | b"systeminfo" | b"printenv" | b"lsof" | b"lscpu" | b"lsblk"
        | b"hostnamectl" | b"lsb_release" | b"netstat" | b"ipconfig" | b"tasklist" | b"arp" | b"getmac"
        | b"qwinsta" | b"dmesg" | b"iptables" | b"crontab" | b"uname" => rare(ASKS),
        b"wget" | b"curl" | b"nslookup" | b"tftp" | b"ncat" | b"netcat" | b"socat" | b"telnet" | b"ftp"
        | b"scp" | b"traceroute" | b"tracert" | b"rsync" | b"fetch" | b"lynx" | b"aria2c" | b"getent"
        | b"nmap" | b"ssh" | b"iwr" => {
            rare(NET.or(Fits::PATH).or(Fits::NUMBER).or(Fits::FILE).or(Fits::SUBCOMMAND).or(Fits::LAST_WORD))
        }
        b"ping" | b"ping6" | b"host" | b"dig" | b"whois" => word(NET.or(Fits::LAST_WORD)),
        b"nc" => word(OPTION.or(Fits::HOST)),
        b"cat" | b"tac" | b"nl" | b"xxd" | b"hexdump" | b"strings" | b"tee" | b"awk" | b"gawk" | b"sed"
        | b"grep" | b"egrep" | b"zcat" | b"bzcat" | b"od" | b"rev" | b"base64" | b"base32" | b"dd"
        | b"source" | b"uniq" | b"vi" | b"vim" | b"nano" => word(READ),
        b"more" | b"less" | b"head" | b"tail" | b"sort" | b"cut" | b"type" | b"paste" | b"join" | b"file"
        | b"strip" | b"test" | b"open" | b"start" | b"copy" | b"move" | b"fold" | b"comm" | b"diff"
        | b"look" => everyday(Fits::PATH.or(OPTION).or(Fits::REDIRECT)),
        b"ls" | b"dir" | b"pwd" | b"id" | b"w" | b"who" | b"env" | b"df" | b"du" | b"lastlog" => word(LISTS),
        b"ps" => Command {
            rarity: Rarity::Word,
            fits: LISTS.or(Fits::SUBCOMMAND),
            subcommands: &["aux", "ef", "auxf", "auxww"],
        },
        b"groups" | b"users" => everyday(LISTS),
        b"sh" | b"ash" => word(ASKS.or(Fits::PATH)),
        b"set" | b"date" | b"last" | b"top" | b"history" | b"ver" | b"hostname" | b"uptime" | b"free"
        | b"mount" | b"export" | b"alias" | b"jobs" | b"logname" | b"tree" | b"cal" | b"help" | b"ip" => {
            everyday(ASKS.or(Fits::PATH))
        }
        b"bash" | b"zsh" | b"ksh" | b"dash" | b"csh" | b"tcsh" | b"fish" | b"busybox" => rare(SHELL),
        b"sleep" | b"kill" | b"usleep" => word(Fits::NUMBER.or(Fits::EXPANSION)),
        b"echo" | b"printf" | b"expr" | b"seq" | b"yes" => word(SAYS),
        b"rm" | b"mv" | b"cp" | b"ln" | b"mkdir" | b"rmdir" | b"touch" | b"find" | b"cd" | b"tar"
        | b"zip" | b"unzip" | b"gzip" | b"install" | b"locate" | b"which" | b"whereis" | b"install.sh"
        | b"del" | b"erase" | b"rd" | b"md" | b"ren" | b"attrib" | b"unlink" => word(PATHS),
        b"chmod" | b"chown" | b"chattr" | b"mkfifo" | b"mknod" | b"useradd" | b"adduser" | b"usermod"
        | b"passwd" | b"xcopy" | b"robocopy" | b"mkpasswd" | b"setfacl" | b"visudo" => {
            rare(PATHS.or(Fits::NUMBER).or(Fits::LAST_WORD))
        }
        b"python" | b"python2" | b"python3" | b"perl" | b"php" | b"ruby" | b"node" | b"nodejs" | b"lua"
        | b"java" | b"gcc" | b"make" | b"tclsh" | b"go" | b"npm" | b"pip" | b"gdb" | b"openssl" | b"git"
        | b"docker" | b"kubectl" | b"mysql" | b"psql" | b"sqlite3" | b"redis-cli" => {
            word(OPTION.or(Fits::PATH).or(Fits::REDIRECT))
        }
        b"cmd" | b"command.com" | b"cscript" | b"wscript" | b"rundll32" | b"regsvr32" | b"mshta"
        | b"msiexec" | b"certutil" | b"bitsadmin" | b"powershell" | b"pwsh" | b"installutil" | b"msbuild"
        | b"forfiles" | b"schtasks" | b"wevtutil" | b"vssadmin" | b"icacls" | b"takeown" => {
            rare(OPTION.or(Fits::PATH).or(Fits::HOST).or(Fits::EXPANSION).or(Fits::SUBCOMMAND))
        }
        b"shutdown" | b"reboot" | b"halt" | b"poweroff" | b"killall" | b"pkill" => word(OPTION.or(BARE)),
        b"net" | b"net1" => with(
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
        b"wmic" => with(
            Rarity::Rare,
            &["process", "os", "logicaldisk", "useraccount", "cpu", "service", "product", "qfe"],
        ),
        b"reg" => with(Rarity::Word, &["query", "add", "delete", "export", "save"]),
        b"netsh" => with(Rarity::Rare, &["interface", "firewall", "wlan", "advfirewall", "int"]),
        b"sc" => with(Rarity::Word, &["query", "config", "start", "stop", "create", "qc"]),
        b"service" | b"systemctl" => {
            with(Rarity::Word, &["status", "start", "stop", "restart", "list-units"])
        }
        b"apt" | b"apt-get" | b"yum" | b"apk" | b"dnf" | b"dpkg" | b"rpm" | b"brew" => {
            with(Rarity::Word, &["install", "update", "list"])
        }
        b"sudo" | b"nohup" | b"timeout" | b"xargs" | b"exec" | b"command" | b"time" | b"nice"
        | b"builtin" | b"eval" | b"setsid" | b"strace" | b"stdbuf" | b"watch" | b"then" | b"do" | b"else"
        | b"if" | b"while" | b"doas" | b"su" => PREFIX,
        _ => return None,
    })
}
