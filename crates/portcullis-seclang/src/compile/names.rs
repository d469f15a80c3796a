//! Names that become numbers: `TX` variables, XPaths, and which variables are read at all.

use hashbrown::HashMap;

use crate::bit_set::BitSet;
use crate::bodies::xpath::XPath;
use crate::syntax::Variable;
use crate::values::List;

/// The names met so far.
pub(crate) struct Names {
    pub(crate) tx_names: Vec<Box<[u8]>>,
    pub(crate) tx_index: HashMap<Box<[u8]>, u32>,
    pub(crate) xpaths: Vec<XPath>,
    pub(crate) reads: BitSet,
}

impl Names {
    /// The captures, which are `TX.0` to `TX.9`.
    pub(crate) fn new() -> Self {
        let mut names = Names {
            tx_names: Vec::new(),
            tx_index: HashMap::new(),
            xpaths: Vec::new(),
            reads: BitSet::new(Variable::ALL.len()),
        };
        for digit in b'0'..=b'9' {
            names.tx_slot(&[digit]);
        }
        names
    }

    /// The number of a `TX` variable, in any case.
    pub(crate) fn tx_slot(&mut self, name: &[u8]) -> u32 {
        let name = name.to_ascii_lowercase();
        if let Some(slot) = self.tx_index.get(name.as_slice()) {
            return *slot;
        }
        let slot = self.tx_names.len() as u32;
        self.tx_names.push(name.as_slice().into());
        self.tx_index.insert(name.into(), slot);
        slot
    }

    /// The list that an XPath fills.
    pub(crate) fn xpath(&mut self, path: XPath) -> List {
        let known = self.xpaths.iter().position(|each| *each == path);
        let index = known.unwrap_or_else(|| {
            self.xpaths.push(path);
            self.xpaths.len() - 1
        });
        List::of_xpath(index as u16)
    }

    /// Notes that a variable is read.
    pub(crate) fn read(&mut self, variable: Variable) {
        self.reads.insert(variable as usize);
    }
}
