// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {AccessControl} from "@openzeppelin/contracts/access/AccessControl.sol";
import {ERC721, ERC721URIStorage} from "@openzeppelin/contracts/token/ERC721/extensions/ERC721URIStorage.sol";

/// Tickets as tokens. A ticket makes its token's id, so that it never has two tokens: a second mint reverts and says
/// who got the first one, in which block, also when that one was sold or burnt since.
contract TicketToken is ERC721URIStorage, AccessControl {
    bytes32 public constant MINTER_ROLE = keccak256("MINTER_ROLE");

    struct Origin {
        address to;
        uint96 blockNumber;
    }

    mapping(uint256 tokenId => Origin) public minted;

    error AlreadyMinted(uint256 tokenId, address to, uint256 blockNumber);

    constructor(address admin) ERC721("Ticket", "TICKET") {
        _grantRole(DEFAULT_ADMIN_ROLE, admin);
        _grantRole(MINTER_ROLE, admin);
    }

    function mint(address to, uint256 tokenId, string calldata uri) external onlyRole(MINTER_ROLE) {
        Origin memory origin = minted[tokenId];
        if (origin.to != address(0)) revert AlreadyMinted(tokenId, origin.to, origin.blockNumber);
        minted[tokenId] = Origin(to, uint96(block.number));
        _safeMint(to, tokenId);
        if (bytes(uri).length > 0) _setTokenURI(tokenId, uri);
    }

    function supportsInterface(bytes4 id) public view override(ERC721URIStorage, AccessControl) returns (bool) {
        return super.supportsInterface(id);
    }
}
