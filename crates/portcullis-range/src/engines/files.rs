//! A virtual file system: nothing of the machine can be read.

/// Absolute path and content.
const FILES: &[(&str, &str)] = &[
    (
        "/etc/passwd",
        "root:x:0:0:root:/root:/bin/bash\ndaemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\nbin:x:2:2:bin:/bin:/usr/sbin/nologin\nmarket:x:1000:1000:Market:/srv/market:/bin/sh\n",
    ),
    ("/etc/hosts", "127.0.0.1\tlocalhost\n127.0.1.1\tmarket\n"),
    ("/etc/hostname", "market-01\n"),
    ("/proc/self/environ", "PATH=/usr/bin\0HOME=/srv/market\0MARKET_ENV=production\0"),
    ("/proc/version", "Linux version 6.1.0-18-amd64 (debian-kernel@lists.debian.org)\n"),
    ("/dev/null", ""),
    (
        "/windows/win.ini",
        "; for 16-bit app support\r\n[fonts]\r\n[extensions]\r\n[mci extensions]\r\n[files]\r\n",
    ),
    ("/srv/market/public/terms.txt", "Terms of sale: what is bought is paid.\n"),
    ("/srv/market/public/welcome.txt", "Welcome to the harbour.\n"),
    ("/srv/market/public/manual.txt", "How to use the lantern: light it.\n"),
    ("/srv/market/keys/mobile-0", "retired"),
    ("/srv/market/config.ini", "[database]\nhost=db.internal\npassword=not-the-real-one\n"),
];

/// Reads an absolute path after resolving `.`, `..`, doubled separators, backslashes and a drive letter, the way
/// a careless open would. A NUL byte ends the path.
pub(crate) fn read(path: &str) -> Option<&'static str> {
    let path = path.split('\0').next().unwrap_or_default().replace('\\', "/");
    let path = match path.split_once(':') {
        Some((drive, rest)) if drive.len() == 1 => rest.to_owned(),
        _ => path,
    };
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            other => parts.push(other),
        }
    }
    let plain = format!("/{}", parts.join("/"));
    FILES.iter().find(|(name, _)| name.eq_ignore_ascii_case(&plain)).map(|(_, content)| *content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resolves_the_way_a_careless_open_does() {
        assert!(read("/srv/market/public/../../../etc/passwd").is_some_and(|it| it.starts_with("root:")));
        assert!(read("/srv/market/public/..\\..\\..\\windows\\win.ini").is_some());
        assert!(read("C:\\Windows\\win.ini").is_some());
        assert!(read("/etc/passwd\0.txt").is_some());
        assert_eq!(read("/srv/market/public/absent"), None);
    }
}
